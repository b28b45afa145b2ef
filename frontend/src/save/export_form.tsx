// Saves the page and its data as one file: what goes in, how far it is, and where it is then.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../app";
import type { PlaneName } from "../data/contract";
import type { Recording } from "../data/recording";
import { usePromise, useStore } from "../data/store";
import { count, percent } from "../ui/format";
import { Button, Icon, Problem, Waiting } from "../ui/parts";
import { ExportJob } from "./export_job";
import { Check, Line, Whole } from "./form";

export function ExportForm({ job }: { job: ExportJob }): JSX.Element {
  const app = useApp();
  const recording = app.recording(useStore(app.view, (view) => view.rec));
  const now = useStore(job.store, (state) => state);
  const { maker } = app.source;
  const { value: choices, error } = usePromise(async () => maker?.choices(recording.id), [recording]);
  if (!maker) return <p class="save-form faint">This page is such a file already: you can give it to others as it is.</p>;
  if (error) return <Problem text={error} />;
  if (!choices) return <Waiting text="Looking at what there is…" />;
  const isMine = now.rec === recording.id;
  if (isMine && ExportJob.isBusy(now)) {
    const { progress = 0, what = "Preparing" } = now.state ?? {};
    return (
      <div class="save-form">
        <p role="status">{what}, {percent(progress, 0)}</p>
        <progress max={1} value={progress} aria-label="how far the file is" />
        <p class="faint">You can close this and go on; the button in the toolbar says how far the file is.</p>
        <p class="save-actions"><Button label="Stop making the file" class="labelled" onClick={() => void job.stop()}>stop</Button></p>
      </div>
    );
  }
  return (
    <>
      {isMine && now.error && <Problem text={now.error} />}
      {isMine && now.state?.bytes !== undefined && (
        <p class="save-form made" role="status">
          <a class="button main" href={maker.fileAddress(recording.id, now.state.key)} download><Icon name="save" /> Save the file ({megabytes(now.state.bytes)})</a>
          <span class="faint">{now.state.what}</span>
        </p>
      )}
      <Choices recording={recording} columns={choices.columns} frames={choices.frames} job={job} key={recording.id} />
    </>
  );
}

function Choices({ recording, columns, frames: usual, job }: { recording: Recording; columns: Record<string, string>; frames: number; job: ExportJob }): JSX.Element {
  const { meta, count: numPoints } = recording;
  const possible = meta.planes.filter(({ why_not }) => why_not === undefined);
  const [frames, setFrames] = useState(meta.has_frames ? Math.min(usual, meta.num_states) : 0);
  const [points, setPoints] = useState(numPoints);
  const [planes, setPlanes] = useState<readonly PlaneName[]>(possible.filter(({ ready }) => ready).map(({ name }) => name));
  const [left, setLeft] = useState<readonly string[]>([]);
  const wanted = Object.values(columns).filter((name) => !left.includes(name));
  const toggled = <T,>(all: readonly T[], one: T): T[] => (all.includes(one) ? all.filter((other) => other !== one) : [...all, one]);
  const begin = (): void => void job.begin(recording.id, { frames, points, planes, columns: wanted.length ? wanted : ["none"] });
  return (
    <form class="save-form" onSubmit={(event) => { event.preventDefault(); begin(); }}>
      <p class="faint">One file that opens without a server, for an e-mail or a paper's website: map, cards, lists, and a player for whole episodes.</p>
      {meta.has_frames && <Line title="frames">
        <Whole label="frames of at most" value={frames} least={0} most={Math.max(meta.num_states, 0)} change={setFrames} /> <span class="faint">of {count(meta.num_states)} states, in whole episodes</span>
      </Line>}
      <Line title="points"><Whole label="points on the map" value={points} least={1} most={Math.max(numPoints, 1)} change={setPoints} /> <span class="faint">of {count(numPoints)}; fewer are drawn at random</span></Line>
      <Line title="planes">
        {possible.map(({ name, title, ready }) => (
          <Check label={<>{title}{!ready && <span class="faint"> (computed first)</span>}</>} checked={planes.includes(name)} change={() => setPlanes(toggled(planes, name))} key={name} />
        ))}
      </Line>
      {Object.keys(columns).length > 0 && <Line title="columns">
        {Object.entries(columns).map(([name, title]) => <Check label={title} checked={!left.includes(title)} change={() => setLeft(toggled(left, title))} key={name} />)}
      </Line>}
      <p class="save-actions"><button type="submit" class="button main" disabled={!planes.length}>Make the file</button></p>
    </form>
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
