// Saves what is on screen as a clip: what is played, or all moments of the open list.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type App, useApp } from "../app";
import { CLIP_FORMATS, type ClipFormat } from "../data/maker";
import type { Recording } from "../data/recording";
import { sentence, usePromise, useStore } from "../data/store";
import { itemPasses, loadList } from "../panels/lists";
import { plural } from "../ui/format";
import { Options, Problem } from "../ui/parts";
import { download, fileName } from "./download";
import { Line } from "./form";

type Part = readonly [first: number, last: number];

interface Clip {
  name: string;
  title: string;
  parts: readonly Part[];
}

/** What of the player and the open list can be a clip. */
async function clipsOf(app: App, recording: Recording): Promise<Clip[]> {
  const { data, rec, first, last, episode } = app.player.store.get();
  const { list } = app.view.get();
  const found: Clip[] = [];
  if (data && rec === recording.id) {
    const title = `episode ${episode}, ${first === 0 && last === data.step.length - 1 ? "whole" : `steps ${data.step[first]} to ${data.step[last]}`}`;
    found.push({ name: "played", title, parts: [[data.first_row + first, data.first_row + last]] });
  }
  if (list) {
    const { items, title } = await loadList(app, recording.id, list.name);
    const shown = items.filter((item) => itemPasses(app, recording.id, item));
    if (shown.length) found.push({ name: "list", title: `${title}, ${plural(shown.length, "moment")}`, parts: shown.map((item): Part => [item.first, item.last]) });
  }
  return found;
}

export function ClipForm(): JSX.Element {
  const app = useApp();
  const rec = useStore(app.view, (view) => view.rec);
  const list = useStore(app.view, (view) => view.list);
  const playing = useStore(app.player.store, (player) => player.data);
  const recording = app.recording(rec);
  const { maker } = app.source;
  const { value: clips } = usePromise(() => clipsOf(app, recording), [recording, list, playing]);
  const [chosen, setChosen] = useState<string | null>(null);
  const [format, setFormat] = useState<ClipFormat>("webp");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  if (!maker) return <p class="save-form faint">Clips are encoded by the server, and this page was exported: open the recording with semantic-rl explore to make one.</p>;
  if (!recording.meta.has_frames) return <p class="save-form faint">This recording has no frames to make a clip of.</p>;
  if (!clips) return <p class="save-form faint">Looking at what is played…</p>;
  if (!clips.length) return <p class="save-form faint">Play an episode or open a list of “Show me”: that is what a clip shows.</p>;
  const clip = clips.find(({ name }) => name === chosen) ?? clips[0];
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const name = fileName(recording.meta.name ?? recording.meta.title, clip.title);
      download(await maker.clip(recording.id, clip.parts, format, clip.title), `${name}.${format}`);
    } catch (problem) {
      setError(sentence(problem));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="save-form" onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <p class="faint">The pictures, with the cluster and the action of each, at the speed of the environment.</p>
      <Line title="show"><Options label="what the clip shows" class="segments words" chosen={clip.name} choose={setChosen} options={clips.map(({ name, title }) => ({ value: name, label: title }))} /></Line>
      <Line title="format"><Options label="format of the clip" chosen={format} choose={setFormat} options={CLIP_FORMATS.map((value) => ({ value, label: value === "webp" ? "WebP" : value.toUpperCase() }))} /></Line>
      {error && <Problem text={error} />}
      <p class="save-actions"><button type="submit" class="button main" disabled={busy}>{busy ? "Encoding…" : "Save clip"}</button></p>
    </form>
  );
}
