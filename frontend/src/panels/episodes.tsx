// The timeline of the recording: every episode a strip of its states, in the colours of the map.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useApp } from "../app";
import { episodesLeft, firstDirection, type OrderName, ORDERS, sortedEpisodes } from "../data/episode_order";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { count, plural } from "../ui/format";
import { Button, Waiting } from "../ui/parts";
import { EpisodeList } from "./episode_list";

const WORDS: Record<OrderName, { name: string; up: string; down: string }> = {
  played: { name: "as played", up: "the first first", down: "the last first" },
  return: { name: "return", up: "the lowest first", down: "the highest first" },
  length: { name: "length", up: "the shortest first", down: "the longest first" },
  level: { name: "level", up: "the lowest number first", down: "the highest number first" },
  success: { name: "success", up: "failures first", down: "successes first" },
};

export function EpisodesPanel({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  const { order, stretched } = useStore(app.view, (view) => view);
  const mask = useStore(app.filtering.store, (filtered) => filtered[recording.id]?.mask ?? null);
  const arrived = useStore(app.look, (look) => look.arrived);
  const { episodes, meta } = recording;
  const shown = useMemo(() => (episodes ? sortedEpisodes(episodes, order, mask && episodesLeft(recording, mask)) : null), [recording, episodes, order, mask, arrived]);
  if (!meta.num_episodes) return <p class="empty-state">This recording has no episodes.</p>;
  if (!episodes || !shown) return <Waiting text="Fetching the episodes…" />;
  const offered = ORDERS.filter((by) => isKnown(recording, by));
  const isSample = recording.count < meta.num_states;
  const { up, down, name } = WORDS[order.by];
  return (
    <div class="episode-panel">
      <header class="panel-head">
        <span class="faint" role="status">{mask ? `${count(shown.length)} of ${plural(meta.num_episodes, "episode")}` : plural(meta.num_episodes, "episode")}</span>
        <span class="grow" />
        <label class="choice" title="In which order the episodes are listed">
          <span class="sr">sorted by</span>
          <select value={order.by} onChange={(event) => {
            const by = event.currentTarget.value as OrderName;
            app.view.set({ order: { by, down: firstDirection(by) } });
          }}>
            {offered.map((by) => <option value={by}>{by === "played" ? WORDS[by].name : `by ${by === "level" ? (meta.level_word ?? by) : by}`}</option>)}
          </select>
        </label>
        <Button icon={order.down ? "down" : "up"} label={`${name}, ${order.down ? down : up}: turn round`} onClick={() => app.view.set({ order: { ...order, down: !order.down } })} />
        <label class="check" title="Every episode as wide as there is room; otherwise a step is as wide in all episodes">
          <input type="checkbox" checked={stretched} onChange={() => app.view.set({ stretched: !stretched })} /> stretch
        </label>
      </header>
      {isSample && <p class="filtered-note">The map shows a sample of the states; of the others, strips are empty.</p>}
      {mask && shown.length === 0 ? <p class="empty-state">No episode has a state that passes the filter.</p> : <EpisodeList recording={recording} shown={shown} />}
      <p class="key faint">Click a strip to play it, a number for its path on the map.</p>
    </div>
  );
}

function isKnown({ meta, episodes }: Recording, by: OrderName): boolean {
  if (by === "return") return meta.reward_known;
  if (by === "success") return meta.success_known;
  return by !== "level" || Boolean(episodes?.level_seed);
}
