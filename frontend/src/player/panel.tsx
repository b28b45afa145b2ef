// The player as one sees it: frame, what the agent does and expects, the timeline, and the buttons.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useApp } from "../app";
import type { EpisodeData, Episodes, Playlist } from "../data/contract";
import type { Recording } from "../data/recording";
import { usePromise, useStore } from "../data/store";
import { tagsOf } from "../data/tags";
import { loadList, playNext } from "../panels/lists";
import { openSheet } from "../panels/sheet";
import { count, decimal, percent, short } from "../ui/format";
import { asFrame, Button, ClusterName, paint, Problem } from "../ui/parts";
import { Numbers } from "./numbers";
import { SPEEDS } from "./player";
import { isDense, Timeline } from "./timeline";

/** Actions shown before and after the one under the cursor. */
const AROUND = 5;
/** With more actions, signs are numbers of several digits. */
const MOST_WITH_LARGE_SIGNS = 100;

export function PlayerPanel(): JSX.Element {
  const app = useApp();
  const { data, episode, rec, error } = useStore(app.player.store, (state) => state);
  const recording = app.recording(rec);
  const [height, width] = recording.meta.frame_shape;
  const box = useRef<HTMLElement>(null);
  const playing = useStore(app.player.store, (state) => state.playing);
  // where the page scrolls, what begins to play comes into view
  useEffect(() => {
    if (playing && document.documentElement.scrollHeight > innerHeight) box.current?.scrollIntoView({ block: "nearest" });
  }, [playing, data]);
  const ratio = (width / height).toFixed(4);
  if (episode === null) {
    return (
      <section class="player empty" aria-label="player">
        {error ? <Problem text={error} /> : <p>Click a state on the map to play its episode from there.</p>}
      </section>
    );
  }
  return (
    <section class="player" aria-label="player" ref={box}>
      {error && <Problem text={error} />}
      {data && (
        <>
          <ListBar recording={recording} />
          <div class={`stage ${recording.meta.has_frames ? "" : "unseen"}`} style={{ "--ratio": ratio }}>
            {recording.meta.has_frames && <PlayerFrame recording={recording} data={data} />}
            <Facts recording={recording} data={data} />
          </div>
          {recording.meta.observation_names.length > 0 && <Numbers recording={recording} episode={data.episode} />}
          <Timeline recording={recording} data={data} />
          <Transport hasClusters={data.cluster !== null} />
        </>
      )}
    </section>
  );
}

/** Of which list the player shows an item, and the way to the others. */
function ListBar({ recording }: { recording: Recording }): JSX.Element | null {
  const app = useApp();
  const list = useStore(app.view, (view) => view.list);
  const { first, last, data } = useStore(app.player.store, (state) => state);
  const isPart = data !== null && (first > 0 || last < data.step.length - 1);
  const { value } = usePromise<Playlist | null>(() => (list ? loadList(app, recording.id, list.name) : Promise.resolve(null)), [recording, list?.name]);
  if (!list || list.item === null || !value || value.items[list.item]?.episode !== data?.episode) return null;
  return (
    <div class={`list-bar ${isPart ? "" : "faint"}`}>
      <span><b>{value.title}</b> {list.item + 1} of {value.items.length}{value.total > value.items.length && ` (${count(value.total)} in all)`}: {value.items[list.item].text}</span>
      <span class="group">
        <Button icon="up" label="Previous of the list" keys="K" disabled={list.item === 0} onClick={() => void playNext(app, -1)} />
        <Button icon="down" label="Next of the list" keys="J" disabled={list.item >= value.items.length - 1} onClick={() => void playNext(app, 1)} />
      </span>
    </div>
  );
}

function PlayerFrame({ recording, data }: { recording: Recording; data: EpisodeData }): JSX.Element {
  const app = useApp();
  const index = useStore(app.player.store, (state) => state.index);
  const canvas = useRef<HTMLCanvasElement>(null);
  const row = data.first_row + index;
  // before the screen is painted: frame and cursor are never apart
  useLayoutEffect(() => {
    let current = true;
    const show = (bitmap: ImageBitmap | null): void => {
      if (!current || !canvas.current) return;
      paint(canvas.current, bitmap);
      canvas.current.dataset.row = String(row);
      performance.mark("player-frame");
    };
    const frames = app.frames.get(recording.id);
    const now = frames?.now(row);
    if (now !== undefined) show(now);
    else frames?.get(row).then(show, () => show(null));
    return () => {
      current = false;
    };
  }, [recording, row]);
  return (
    <div class="screen">
      <canvas ref={canvas} class="picture" {...asFrame(recording)} role="img" aria-label={`frame at step ${data.step[index]}`} />
      <span class="missing">no frame here</span>
    </div>
  );
}

function Facts({ recording, data }: { recording: Recording; data: EpisodeData }): JSX.Element {
  const app = useApp();
  const index = useStore(app.player.store, (state) => state.index);
  const { meta, episodes } = recording;
  useStore(app.notesOf(recording.id).store, (notes) => notes.tags);
  const tags = tagsOf(recording, recording.indexOf(data.first_row + index));
  const cluster = data.cluster?.[index];
  const end = episodes?.end[data.episode];
  const success = meta.success_known ? episodes?.success[data.episode] : undefined;
  const action = data.action?.[index];
  const reward = data.reward[index];
  const dense = data.value === null || isDense(data.reward);
  const unsure = data.uncertainty?.[index];
  return (
    <div class="facts">
      <div class="first">
        {cluster === undefined ? <b>episode {data.episode}</b> : <ClusterName recording={recording} cluster={cluster} />}
        <span class="grow" />
        <Button icon="near" label="States near to this one" keys="S" class="near-button" onClick={() => openSheet(app, recording.id, { kind: "near", row: data.first_row + index })} />
        <Button icon="close" label="Close the player" keys="Esc" class="close" onClick={() => app.player.close()} />
      </div>
      {data.action && <div class={`ribbon ${meta.num_actions > MOST_WITH_LARGE_SIGNS ? "long" : ""}`} aria-hidden="true" title="Actions before, now and after">
        {Array.from({ length: 2 * AROUND + 1 }, (_, at) => {
          const other = data.action?.[index + at - AROUND];
          return <span class={at === AROUND ? "now" : ""}>{other === undefined ? "" : meta.action_signs[other]}</span>;
        })}
      </div>}
      <dl>
        {action !== undefined && <><dt>action</dt><dd>{meta.action_names[action]}</dd></>}
        {data.value && <><dt>value</dt>
        <dd>{decimal(data.value[index])}{!dense && reward !== 0 && <b class={reward > 0 ? "good" : "bad"}> reward {short(reward)}</b>}</dd></>}
        {dense && meta.reward_known && <><dt>reward</dt><dd class={reward > 0 ? "good" : reward < 0 ? "bad" : ""}>{short(Number(reward.toPrecision(3)))}</dd></>}
        {unsure != null && <><dt title="uncertainty: 0% in the middle of a cluster’s cell">uncertainty</dt><dd>{percent(unsure, 0)}</dd></>}
        <dt>step</dt>
        <dd>{count(data.step[index])} <span class="faint">of {count(episodes?.length[data.episode])}</span></dd>
        <dt>episode</dt>
        <dd title={[meta.reward_known ? `Return ${short(episodes?.episode_return[data.episode])}` : null, endSaid(end, success)].filter(Boolean).join(". ")}>
          {data.episode}
          {success != null && <b class={success ? "good" : "bad"}> {success ? "✓" : "✗"}</b>}
          {meta.reward_known && <span class="faint"> return {short(episodes?.episode_return[data.episode])}</span>}
          {end === null && <span class="faint"> so far</span>}
        </dd>
        {episodes?.level_seed && <><dt>{meta.level_word}</dt><dd>{episodes.level_seed[data.episode]}</dd></>}
        {tags.length > 0 && <><dt>{tags.length > 1 ? "tags" : "tag"}</dt><dd>{tags.join(", ")}</dd></>}
      </dl>
    </div>
  );
}

/** How the episode ends, in a sentence. */
function endSaid(end: Episodes["end"][number] | undefined, success: boolean | null | undefined): string | undefined {
  if (end === null) return "The episode did not end while it was recorded";
  const limit = end === "truncated" ? "; a time limit ends it" : "";
  if (success == null) return limit ? "A time limit ends the episode" : undefined;
  return `${success ? "The episode ends in success" : "The episode does not end in success"}${limit}`;
}

function Transport({ hasClusters }: { hasClusters: boolean }): JSX.Element {
  const app = useApp();
  const { player } = app;
  const playing = useStore(player.store, (state) => state.playing);
  const speed = useStore(player.store, (state) => state.speed);
  return (
    <div class="transport">
      <span class="group">
        <Button icon="back" label="One step back" keys="←" onClick={() => player.step(-1)} />
        <Button icon={playing ? "pause" : "play"} label={playing ? "Pause" : "Play"} keys="Space" class="main" onClick={() => player.toggle()} />
        <Button icon="on" label="One step on" keys="→" onClick={() => player.step(1)} />
      </span>
      {hasClusters && (
        <span class="group">
          <Button icon="changeBack" label="Previous cluster change" keys="," onClick={() => player.toChange(-1)} />
          <Button icon="changeOn" label="Next cluster change" keys="." onClick={() => player.toChange(1)} />
        </span>
      )}
      <span class="group">
        <Button icon="up" label="Previous episode" keys="[" onClick={() => player.toEpisode(-1)} />
        <Button icon="down" label="Next episode" keys="]" onClick={() => player.toEpisode(1)} />
      </span>
      <span class="grow" />
      <label class="choice" title="Speed (< and >)">
        <span class="sr">speed</span>
        <select value={String(speed)} onChange={(event) => player.store.set({ speed: Number(event.currentTarget.value) })}>
          {SPEEDS.map((option) => <option value={String(option)}>{option}×</option>)}
        </select>
      </label>
    </div>
  );
}
