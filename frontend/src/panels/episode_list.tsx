// The list of episodes with their strips. Only those in view are drawn, all on one canvas that scrolls with them.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import { orderNumber, pointsOfEpisode } from "../data/episode_order";
import { placeOf } from "../data/paths";
import { lastNotAbove, type Recording } from "../data/recording";
import { useStore } from "../data/store";
import { colorize, columnOf } from "../map/colors";
import { pointing } from "../map/dwell";
import { visibleStates } from "../map/overlays";
import type { Shades } from "../map/strips";
import { compact, count, short } from "../ui/format";
import { PathKey } from "../ui/path_legend";
import { drawStrips, ROW } from "./episode_strips";
import { addPaths, clearPaths, episodeSaid, togglePath } from "./paths";

/** Rows that are drawn at once, before and after those in view: so one scrolls without drawing anew. */
const CHUNK = 16;
/** Of what stands before the strips, in pixels: as in episodes.css. */
const LABELS = 148;
const MARGIN = 8;
const LEAST_STRIP = 2;

interface Place {
  /** Of the list, and of the states of its episode. */
  at: number;
  offset: number;
}

export function EpisodeList({ recording, shown }: { recording: Recording; shown: Uint32Array }): JSX.Element {
  const app = useApp();
  const list = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const line = useRef<HTMLElement>(null);
  const anchor = useRef(0);
  /** Where the pointer went down: clicks are told in whole pixels, and a step may be narrower. */
  const down = useRef<PointerEvent | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [start, setStart] = useState(0);
  const [active, setActive] = useState<Place>({ at: 0, offset: 0 });
  const { color, scales, grouped, solo, hide, paths, order, stretched } = useStore(app.view, (view) => view);
  const mask = useStore(app.filtering.store, (filtered) => filtered[recording.id]?.mask ?? null);
  const { dark, arrived } = useStore(app.look, (look) => look);
  const playing = useStore(app.player.store, (state) => (state.rec === recording.id && state.data ? state.episode : null));
  const pointed = useMemo(() => pointing(app, recording.id), [recording]);
  const values = recording.get(columnOf(color));
  const shades = useMemo((): Shades => ({
    coloring: colorize(recording, { color, scales, grouped }, dark), mask, groups: recording.get("cluster") ?? null, shown: visibleStates(recording, { solo, hide }),
  }), [recording, color, scales, grouped, dark, values, mask, solo, hide, arrived]);
  const { meta } = recording;
  const episodes = recording.episodes as NonNullable<Recording["episodes"]>;
  const most = useMemo(() => shown.reduce((found, episode) => Math.max(found, episodes.num_rows[episode]), 1), [shown]);
  const room = Math.max(size.width - LABELS - MARGIN, 1);
  const widthOf = (episode: number): number => (stretched ? room : Math.max((room * episodes.num_rows[episode]) / most, LEAST_STRIP));
  const end = Math.min(start + Math.ceil(size.height / ROW) + 2 * CHUNK, shown.length);
  const at = Math.min(active.at, shown.length - 1);

  useEffect(() => {
    if (!list.current) return;
    const observer = new ResizeObserver(() => list.current && setSize({ width: list.current.clientWidth, height: list.current.clientHeight }));
    observer.observe(list.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => () => {
    pointed.at(-1);
    pointed.end();
  }, [pointed]);
  const look = (): void => setStart(Math.max(Math.floor((list.current?.scrollTop ?? 0) / ROW / CHUNK) - 1, 0) * CHUNK);
  useEffect(look, [shown]);
  useEffect(() => {
    if (canvas.current && size.width) drawStrips(canvas.current, recording, shown.subarray(start, end), room, widthOf, shades);
  }, [recording, shown, start, end, size.width, shades, stretched, most]);

  const reveal = (row: number): void => {
    const box = list.current;
    if (!box || row < 0) return;
    if (row * ROW < box.scrollTop) box.scrollTop = row * ROW;
    else if ((row + 1) * ROW > box.scrollTop + box.clientHeight) box.scrollTop = (row + 1) * ROW - box.clientHeight;
  };
  const current = useMemo(() => (playing === null ? -1 : shown.indexOf(playing)), [shown, playing]);
  useEffect(() => reveal(current), [current]);

  const mark = (place: Place | null): void => pointed.at(place ? pointAt(recording, shown[place.at], place.offset) : -1);
  // what is pointed at, here or on the map, is marked in both places
  useEffect(() => {
    const show = (): void => {
      const { rec, index } = app.hover.get();
      const row = rec === recording.id && index >= 0 ? recording.rowOf(index) : -1;
      const episode = row < 0 ? -1 : recording.episodeOf(row);
      const place = episode < 0 ? -1 : shown.indexOf(episode);
      if (!line.current) return;
      line.current.hidden = place < 0;
      if (place >= 0) line.current.style.transform = `translate(${LABELS + ((row - episodes.first_row[episode] + 0.5) / episodes.num_rows[episode]) * widthOf(episode)}px, ${place * ROW}px)`;
    };
    show();
    return app.hover.subscribe(show);
  }, [recording, shown, room, stretched, most]);
  const placeOfEvent = (event: Pick<MouseEvent, "clientX" | "clientY">): (Place & { isLabel: boolean }) | null => {
    const box = list.current?.getBoundingClientRect();
    if (!box) return null;
    const row = Math.floor((event.clientY - box.top + (list.current?.scrollTop ?? 0)) / ROW);
    if (row >= shown.length) return null;
    const x = event.clientX - box.left - LABELS;
    const numRows = episodes.num_rows[shown[row]];
    const offset = Math.floor((x / widthOf(shown[row])) * numRows);
    return { at: row, offset: Math.min(Math.max(offset, 0), numRows - 1), isLabel: x < -2 };
  };
  const play = ({ at: row, offset }: Place): Promise<void> => app.openRow(recording.id, episodes.first_row[shown[row]] + offset);
  const range = (to: number): void => addPaths(app, recording.id, shown.subarray(Math.min(anchor.current, to), Math.max(anchor.current, to) + 1));
  const onClick = (event: MouseEvent): void => {
    const place = placeOfEvent(down.current ?? event);
    down.current = null;
    if (!place) return;
    setActive({ at: place.at, offset: place.offset });
    if (event.shiftKey) return range(place.at);
    anchor.current = place.at;
    if (place.isLabel || event.ctrlKey || event.metaKey) return togglePath(app, recording.id, shown[place.at]);
    void play(place).then(() => document.getElementById("timeline")?.focus({ preventScroll: true }));
  };
  const onMove = (event: PointerEvent): void => {
    const place = placeOfEvent(event);
    const isOver = place && !place.isLabel && event.clientX - (list.current?.getBoundingClientRect().left ?? 0) - LABELS <= widthOf(shown[place.at]) + 2;
    mark(isOver ? place : null);
  };
  const onKey = (event: KeyboardEvent): void => {
    const page = Math.max(Math.floor(size.height / ROW) - 1, 1);
    const last = shown.length - 1;
    const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -last, End: last }[event.key];
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const numRows = episodes.num_rows[shown[at]] ?? 1;
    const control = event.ctrlKey || event.metaKey;
    if (event.altKey || (control && event.key !== " ")) return;
    if (by !== undefined) {
      const to = Math.min(Math.max(at + by, 0), last);
      if (event.shiftKey) addPaths(app, recording.id, [shown[at], shown[to]]);
      setActive({ at: to, offset: 0 });
      anchor.current = to;
      reveal(to);
      mark(null);
    } else if (along !== undefined) {
      const offset = Math.min(Math.max(active.offset + along * (event.shiftKey ? 10 : 1), 0), numRows - 1);
      setActive({ at, offset });
      mark({ at, offset });
    } else if (event.key === "Enter") void play({ at, offset: Math.min(active.offset, numRows - 1) });
    else if (event.key.toLowerCase() === "x" || (event.key === " " && (control || shown[at] !== playing))) togglePath(app, recording.id, shown[at]);
    else if (event.key === "Escape" && paths.length) clearPaths(app);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  // beside the number of the episode: what they are sorted by
  const by = order.by === "length" || order.by === "level" ? order.by : meta.reward_known ? "return" : "length";
  const rows = Array.from(shown.subarray(start, end), (episode, row): JSX.Element => {
    const place = placeOf(paths, recording.id, episode);
    const success = episodes.success[episode];
    const number = orderNumber(episodes, by, episode);
    return (
      <div
        role="option" key={episode} id={`episode-${episode}`} aria-selected={place >= 0} aria-setsize={shown.length} aria-posinset={start + row + 1}
        aria-current={episode === playing ? "true" : undefined}
        class={`episode ${start + row === at ? "active" : ""} ${episode === playing ? "current" : ""}`} style={{ top: `${(start + row) * ROW}px` }}
      >
        <span class="sr">{`episode ${episode}, ${episodeSaid(recording, episode)}`}</span>
        <span class="swatch" aria-hidden="true">{place >= 0 && <PathKey place={place} />}</span>
        <span class="number" aria-hidden="true" title={`${episodeSaid(recording, episode)}; click for its path`}>{episode}</span>
        <span class="number faint" aria-hidden="true">{number !== null && Math.abs(number) >= 100_000 ? compact(number) : short(number)}</span>
        <span class="result" aria-hidden="true">{meta.success_known && (success === null ? <span class="faint">…</span> : <b class={success ? "good" : "bad"}>{success ? "✓" : "✗"}</b>)}</span>
      </div>
    );
  });
  return (
    <>
      <div class="strips-head faint" aria-hidden="true">
        <span class="swatch" />
        <span class="number">episode</span>
        <span class="number">{by === "length" ? "steps" : by === "level" ? (meta.level_word ?? "level") : by}</span>
        <span class="result" />
        <span class="scale" style={size.width ? { maxWidth: `${room}px` } : undefined}><span>{stretched ? "start" : "0"}</span><span>{stretched ? "end" : `${count(most)} steps`}</span></span>
      </div>
      <div
        class="strips" role="listbox" aria-label="episodes; Enter plays, X draws the path on the map, left and right arrows go through the states" aria-multiselectable="true"
        tabIndex={0} ref={list} aria-activedescendant={at >= start && at < end ? `episode-${shown[at]}` : undefined} onScroll={look} onClick={onClick}
        onPointerDown={(event) => (down.current = event)}
        onPointerMove={onMove} onPointerLeave={() => mark(null)} onBlur={() => mark(null)} onKeyDown={onKey}
      >
        <div class="all-strips" style={{ height: `${shown.length * ROW}px` }}>
          <canvas ref={canvas} aria-hidden="true" style={{ left: `${LABELS}px`, top: `${start * ROW}px`, width: `${room}px`, height: `${(end - start) * ROW}px` }} />
          {rows}
          <i class="pointed" ref={line} hidden />
          {current >= 0 && <Cursor row={current} width={widthOf(shown[current])} numRows={episodes.num_rows[shown[current]]} />}
        </div>
      </div>
    </>
  );
}

/** Where the player is. */
function Cursor({ row, width, numRows }: { row: number; width: number; numRows: number }): JSX.Element {
  const index = useStore(useApp().player.store, (state) => state.index);
  return <i class="now" style={{ transform: `translate(${LABELS + ((index + 0.5) / numRows) * width}px, ${row * ROW}px)` }} />;
}

/** The point of a state of an episode; where the map shows a sample, of the last state before it that is there. */
function pointAt(recording: Recording, episode: number, offset: number): number {
  const row = (recording.episodes?.first_row[episode] ?? 0) + offset;
  const index = recording.indexOf(row);
  if (index >= 0) return index;
  const [first, end] = pointsOfEpisode(recording, episode);
  if (first === end) return -1;
  return Math.max(lastNotAbove(recording.get("row") ?? [], row), first);
}
