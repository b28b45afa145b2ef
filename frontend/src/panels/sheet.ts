// What the contact sheet shows: asks for the states, and puts them in order.
import type { App } from "../app";
import type { Near } from "../data/contract";
import { episodesOfPoints } from "../data/filter_columns";
import type { Recording } from "../data/recording";
import { INSIDE, select } from "../data/selected";
import type { Sheet, SheetOf } from "../data/sheet";
import { grouped, sorted, ungrouped } from "../data/sheet_order";
import { type Combinations, TAG } from "../data/tags";
import { loadList } from "./lists";

/** States in the order in which the sheet shows them. */
export interface Items {
  rows: Uint32Array;
  /** Where each group begins; and, last, where all end. */
  starts: Uint32Array;
  /** The episode, or the number of the level, that each group is of; none if they are not grouped. */
  groups: number[];
  /** Of near states, how far they are, by row. */
  distances: ReadonlyMap<number, number> | null;
  /** What is left out, or why there is nothing. */
  note: string | null;
}

/** Show states on the panel of states. */
export function openSheet(app: App, rec: string, of: SheetOf): void {
  const { sheet, panel } = app.view.get();
  const isOrdered = of.kind === "near" || of.kind === "list"; // by itself, and that is what one wants to see
  app.view.set({ panel: "states", rec, sheet: { ...sheet, of, ...(isOrdered && (panel !== "states" || sheet.of.kind !== of.kind) ? { sort: null, group: null } : {}) } });
}

/** The row of the state that is pointed at, or else of the one in the player; null if there is none. */
export function rowInHand(app: App): { rec: string; row: number } | null {
  const { rec, index } = app.hover.get();
  if (rec !== null && index >= 0) return { rec, row: app.recording(rec).rowOf(index) };
  const { row } = app.player;
  return row >= 0 ? { rec: app.player.store.get().rec, row } : null;
}

/** Show the states near to the one in hand; says whether there is one. */
export function openNearest(app: App): boolean {
  const found = rowInHand(app);
  if (found) openSheet(app, found.rec, { kind: "near", row: found.row });
  return found !== null;
}

/** The states that a sheet shows; those that do not pass the filters are left out. */
export async function itemsOf(app: App, recording: Recording, sheet: Sheet, near: Near | null): Promise<Items> {
  await Promise.all([recording.loadEpisodes(), recording.count < recording.meta.num_states && recording.load("row"), recording.column("cluster") && recording.load("cluster")]);
  await app.filtering.settled();
  if (sheet.of.kind === "near" || sheet.of.kind === "list") return orderedRows(app, recording, sheet, near);
  const { points, note } = await pointsOf(app, recording, sheet.of);
  const column = sheet.sort === null ? null : await app.filtering.column(recording, sheet.sort);
  const { points: ordered, starts, groups } = gather(recording, sheet, column ? sorted(points, column, sheet.descending) : points);
  const rows = rowsOf(recording, ordered);
  return { rows, starts, groups, distances: null, note };
}

function rowsOf(recording: Recording, points: Uint32Array): Uint32Array {
  const rows = recording.get("row");
  if (!rows || recording.count === recording.meta.num_states) return points;
  const found = new Uint32Array(points.length);
  for (let at = 0; at < found.length; at++) found[at] = rows[points[at]];
  return found;
}

function gather(recording: Recording, sheet: Sheet, points: Uint32Array): { points: Uint32Array; starts: Uint32Array; groups: number[] } {
  const levels = recording.episodes?.level_seed ?? null;
  if (sheet.group === null || (sheet.group === "level" && !levels)) return { ...ungrouped(points), groups: [] };
  const episodes = episodesOfPoints(recording);
  if (sheet.group === "episode" || !levels) {
    const found = grouped(points, episodes, recording.meta.num_episodes);
    return { points: found.points, starts: found.starts, groups: [...found.keys] };
  }
  const known = [...new Set(levels)];
  const place = new Map(known.map((level, at) => [level, at]));
  const ofEpisode = Uint32Array.from(levels, (level) => place.get(level) as number);
  const levelOf = new Uint32Array(episodes.length);
  for (let point = 0; point < levelOf.length; point++) levelOf[point] = ofEpisode[episodes[point]];
  const found = grouped(points, levelOf, known.length);
  return { points: found.points, starts: found.starts, groups: Array.from(found.keys, (key) => known[key]) };
}

/** Points that pass the filters, in the order in which they were recorded. */
async function pointsOf(app: App, recording: Recording, of: SheetOf): Promise<{ points: Uint32Array; note: string | null }> {
  const passing = app.filtering.mask(recording.id);
  const isSample = recording.count < recording.meta.num_states;
  const note = isSample ? `Of the ${recording.count.toLocaleString("en")} states on the map, which are a sample.` : null;
  const kept = (accepts: ((point: number) => boolean) | null): Uint32Array => {
    const found = new Uint32Array(recording.count);
    let count = 0;
    for (let point = 0; point < found.length; point++) if ((!passing || passing[point]) && (!accepts || accepts(point))) found[count++] = point;
    return found.slice(0, count);
  };
  const none = (why: string) => ({ points: new Uint32Array(0), note: why });
  switch (of.kind) {
    case "lasso": {
      const { rec, query } = app.lasso.get();
      if (!query || rec !== recording.id) return none("There is no lasso: draw one around states on the map (L).");
      const sides = await select(recording, query, app.notesOf(recording.id).store.get().selections);
      return { points: kept((point) => sides[point] === INSIDE), note };
    }
    case "cluster": {
      const clusters = recording.get("cluster");
      if (!clusters || of.cluster >= recording.meta.num_codes) return none("There is no such cluster.");
      return { points: kept((point) => clusters[point] === of.cluster), note };
    }
    case "tagged":
    case "tag": {
      const codes = await recording.load(TAG);
      const isWanted = Uint8Array.from(recording.now<Combinations>("tags") ?? [[]], (tags) => Number(of.kind === "tag" ? tags.includes(of.tag) : tags.length > 0));
      if (!isWanted.includes(1)) return none(of.kind === "tag" ? `No state has the tag “${of.tag}”.` : "No state has a tag yet.");
      return { points: kept((point) => isWanted[codes[point]] === 1), note };
    }
    default:
      return { points: kept(null), note };
  }
}

/** States that a list or a search has found, in their own order unless another is asked for. */
async function orderedRows(app: App, recording: Recording, sheet: Sheet, near: Near | null): Promise<Items> {
  let rows: number[] = [];
  let note: string | null = null;
  let distances: Map<number, number> | null = null;
  if (sheet.of.kind === "near") {
    if (near) {
      rows = near.rows;
      distances = new Map(near.rows.map((row, at) => [row, near.distances[at]]));
      note = near.note ?? null;
    } else if (sheet.of.row >= recording.meta.num_states) note = `There is no state ${sheet.of.row.toLocaleString("en")}: the last one is ${(recording.meta.num_states - 1).toLocaleString("en")}.`;
  } else {
    const { list } = app.view.get();
    if (!list) note = "There is no list: choose one under “Show me”.";
    else {
      const found = await loadList(app, recording.id, list.name);
      rows = [...new Set(found.items.flatMap(({ row, other }) => (other === undefined ? [row] : [row, other])))].filter((row) => app.passes(recording.id, row));
      note = found.total > found.items.length ? `${found.title}: the states of the first ${found.items.length} of ${found.total.toLocaleString("en")}.` : `${found.title}.`;
    }
  }
  const points = rows.map((row) => recording.indexOf(row));
  if (points.includes(-1) || (sheet.sort === null && sheet.group === null)) {
    return { rows: Uint32Array.from(rows), starts: Uint32Array.of(0, rows.length), groups: [], distances, note };
  }
  const column = sheet.sort === null ? null : await app.filtering.column(recording, sheet.sort);
  const all = Uint32Array.from(points);
  const { points: ordered, starts, groups } = gather(recording, sheet, column ? sorted(all, column, sheet.descending) : all);
  return { rows: rowsOf(recording, ordered), starts, groups, distances, note };
}
