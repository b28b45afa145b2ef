// What a cluster is: the name and note that people give it, its frames, a clip, and how it differs from all states.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import { type Cards, type ClusterCard, type ClusterNote, FRAMES_IN_MEAN } from "../data/contract";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { clusterColor } from "../map/colors";
import { Actions, Histogram } from "../ui/charts";
import { count, decimal, percent, plural, short } from "../ui/format";
import { Button, Frame, Picture } from "../ui/parts";
import { Clip } from "./clip";
import { askInside } from "./inside";
import { openSheet } from "./sheet";

const SAVE_AFTER_MS = 700;

export function ClusterCardBody({ recording, card, cards, passing }: {
  recording: Recording;
  card: ClusterCard;
  cards: Pick<Cards, "all" | "value_edges">;
  /** Of a filter: states of the cluster that pass it, with their mean frame. */
  passing?: { examples: readonly number[]; mean: Promise<Blob | null> | null; num_frames: number; /** They are of the filter before. */ isOld: boolean };
}): JSX.Element {
  const app = useApp();
  const { meta } = recording;
  const color = clusterColor(recording, card.cluster);
  const rows = passing ? passing.examples : [...(card.medoid === null ? [] : [card.medoid]), ...card.typical];
  const meanOf = passing ? passing.num_frames : Math.min(card.num_states, FRAMES_IN_MEAN);
  const edges = cards.value_edges;
  return (
    <div class={`cluster-body ${passing ? "passing" : ""} ${passing?.isOld ? "old" : ""}`}>
      <Naming recording={recording} cluster={card.cluster} />
      {card.num_states === 0 && <p class="faint">{passing ? "No state of this cluster passes the filter." : "No state of this recording is in this cluster."}</p>}
      {card.num_states > 0 && (
        <>
          <div class="moving">
            {meta.has_frames && !passing && card.clip.length > 0 && (
              <figure>
                <Clip recording={recording} runs={card.clip} />
                <figcaption>clip</figcaption>
              </figure>
            )}
            {meta.has_frames && <figure>
              <Picture
                recording={recording} load={async () => (passing ? passing.mean : app.source.mean(recording.id, card.cluster))}
                depends={[recording, card.cluster, passing?.mean]} label={`mean frame of cluster ${card.cluster}`}
              />
              <figcaption>mean frame{card.num_states > meanOf && <small> of {count(meanOf)} {passing && !app.source.live ? "frames" : "random states"}</small>}</figcaption>
            </figure>}
            <dl>
              <dt>states</dt>
              <dd>{count(card.num_states)}</dd>
              {!passing && <><dt>visits</dt>
              <dd>{count(card.num_visits)}</dd>
              <dt>dwell</dt>
              <dd>{decimal(card.mean_dwell, 1)} steps</dd></>}
              <dt>episodes</dt>
              <dd>{count(card.num_episodes)} <span class="faint">of {count(recording.meta.num_episodes)}</span></dd>
              {meta.success_known && <><dt>success</dt>
              <dd title={card.success === null ? "No episode that passes through it has ended" : "of the episodes that pass through it and have ended, and of all"}>
                {card.success === null ? "not known" : percent(card.success, 0)} <span class="faint">all {percent(cards.all?.success, 0)}</span>
                {card.success !== null && <small class="faint n">of {plural(card.num_ended, "episode")} that ended</small>}
              </dd></>}
            </dl>
          </div>
          <div class={`typical ${meta.has_frames ? "" : "words"}`} role="group" aria-label="typical states: click to play">
            {rows.map((row, at) => (
              <button type="button" title={`${passing ? "A state that passes" : at === 0 ? "The state nearest to all others of the cluster" : "A typical state of another episode"}; click to play from it`} onClick={() => void app.openRow(recording.id, row)}>
                {meta.has_frames ? <Frame recording={recording} row={row} label={`typical state ${row}`} /> : <>state {count(row)}</>}
              </button>
            ))}
          </div>
          <div class="charts">
            {card.actions.length > 0 && <Actions meta={meta} shares={card.actions} against={cards.all?.actions ?? card.actions} color={color} />}
            <div>
              {card.values.length > 0 && <Histogram title="value" shares={card.values} against={cards.all?.values} low={short(edges[0])} high={short(edges[edges.length - 1])} color={color} />}
              <Histogram title="time in episode" shares={card.progress} against={cards.all?.progress} low="start" high="end" color={color} />
            </div>
          </div>
          <p class="key faint"><span><em /> {passing ? "all states that pass" : "all states"}</span></p>
        </>
      )}
      <p class="actions-row">
        <Button label="Compare the cluster's states with all others" class="labelled" disabled={card.num_states === 0} onClick={() => {
          app.view.set({ panel: "lasso", sel: null });
          void askInside(app, recording.id, { clusters: [card.cluster] });
        }}>
          compare with the rest
        </Button>
        <Button label="All states of the cluster as a contact sheet" class="labelled" disabled={card.num_states === 0} onClick={() => openSheet(app, recording.id, { kind: "cluster", cluster: card.cluster })}>contact sheet</Button>
      </p>
    </div>
  );
}

/** Name and note, saved as they are written; where somebody else wrote meanwhile, both are shown. */
function Naming({ recording, cluster }: { recording: Recording; cluster: number }): JSX.Element {
  const app = useApp();
  const notes = app.notesOf(recording.id);
  const saved = useStore(notes.store, (state) => state.clusters[cluster]);
  const status = useStore(notes.store, (state) => state.status[cluster]);
  const conflict = useStore(notes.store, (state) => state.conflicts[cluster]);
  const [name, setName] = useState(saved?.name ?? "");
  const [note, setNote] = useState(saved?.note ?? "");
  const written = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const text = useRef({ name, note });
  text.current = { name, note };
  const seen = useRef(saved?.version ?? 0);
  const waiting = useRef(0); // saves that have yet to read the text

  // what others write appears here, unless one is writing oneself; in the same frame as the status that tells of it
  useLayoutEffect(() => {
    if (written.current || waiting.current > 0) return;
    setName(saved?.name ?? "");
    setNote(saved?.note ?? "");
    seen.current = saved?.version ?? 0;
  }, [saved]);
  // one after the other, for each has to know the version that the one before it made
  const busy = useRef(Promise.resolve());
  const save = (): void => {
    clearTimeout(timer.current);
    if (!written.current) return;
    written.current = false;
    waiting.current += 1;
    busy.current = busy.current.then(async () => {
      waiting.current -= 1;
      const found = await notes.saveCluster(cluster, { name: text.current.name.trim(), note: text.current.note.trim() }, seen.current);
      if (found !== null) seen.current = found;
    });
  };
  useEffect(() => save, [cluster]);
  const write = (set: (value: string) => void, value: string): void => {
    set(value);
    written.current = true;
    clearTimeout(timer.current);
    timer.current = setTimeout(save, SAVE_AFTER_MS);
  };
  const takeTheirs = async (): Promise<void> => {
    if (!conflict) return;
    await notes.settle(cluster, "theirs");
    const undo = (): Promise<unknown> => notes.saveCluster(cluster, conflict.mine, conflict.theirs.version);
    app.look.set({ done: { text: `Took the other text for cluster ${cluster}.`, undo } });
  };
  if (!notes.writable) return <Written text={saved} />;
  const who = saved?.author ? ` by ${saved.author}` : "";
  return (
    <div class="naming">
      <input
        value={name} placeholder="Name what you see" aria-label={`name of cluster ${cluster}`} maxLength={80} disabled={!notes.writable}
        onInput={(event) => write(setName, event.currentTarget.value)} onBlur={save}
        onKeyDown={(event) => event.key === "Enter" && save()}
      />
      <textarea
        value={note} placeholder="Note" aria-label={`note on cluster ${cluster}`} rows={note.length > 50 ? 3 : 1} maxLength={4000} disabled={!notes.writable}
        onInput={(event) => write(setNote, event.currentTarget.value)} onBlur={save}
      />
      {conflict ? (
        <div class="conflict" role="alert">
          <p>Changed elsewhere{conflict.theirs.author ? ` by ${conflict.theirs.author}` : ""} while you were writing.</p>
          <dl>
            <dt>yours</dt>
            <dd><b>{conflict.mine.name || "no name"}</b> {conflict.mine.note}</dd>
            <dt>theirs</dt>
            <dd><b>{conflict.theirs.name || "no name"}</b> {conflict.theirs.note}</dd>
          </dl>
          <Button label="Keep yours" class="labelled" onClick={() => void notes.settle(cluster, "mine")}>keep yours</Button>
          <Button label="Take theirs" class="labelled" onClick={() => void takeTheirs()}>take theirs</Button>
        </div>
      ) : (
        <p class="status faint" role="status">
          {status?.kind === "saving" ? "saving…" : status?.kind === "failed" ? <span class="bad">not saved: {status.error}</span> : saved?.time ? `saved${who}, ${moment(saved.time)}` : ""}
        </p>
      )}
    </div>
  );
}

/** Name and note where they cannot be changed. */
function Written({ text }: { text: ClusterNote | undefined }): JSX.Element | null {
  if (!text || !(text.name || text.note)) return null;
  return (
    <div class="naming">
      {text.note && <p>{text.note}</p>}
      {text.time && <p class="status faint">{text.author ? `${text.author}, ` : ""}{moment(text.time)}</p>}
    </div>
  );
}

function moment(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

