// What is inside a selection against the rest, computed in the page: for an exported one, which has no server to ask.
//
// The definition is semantic_rl.explorer.selection.statistics; test/inside.test.ts holds this to it. It differs by how
// finely the file's numbers are quantised, and where the file holds a sample of the states, by what is not in it.
import {
  COHENS_D, CRAMERS_V, type Difference, type Episodes, type InsideNumbers, type InsideQuery, NOT_FILTERED, NOT_IN_A_SAMPLE, NUM_EXAMPLES, OF_A_SAMPLE,
  OF_FILTERED,
  ORDER_FACTOR, type Selection,
} from "./contract";
import { add, contrast, contrastShares, cramersV, type Draws, noSums, notCompared, orNull, type Sums } from "./effect_sizes";
import { partColumn, type Recording, type Values } from "./recording";
import { FILTERED, INSIDE, REST, select } from "./selected";

const COLUMNS = ["row", "action", "cluster", "value", "reward", "step", "uncertainty"];
type Known = Pick<InsideNumbers, "value" | "reward" | "success" | "uncertainty">;

/** The points of the file: their sides, episodes and what is known of them. */
interface Points {
  recording: Recording;
  episodes: Episodes;
  draws: Draws;
  /** Of each point: INSIDE, REST, UNKNOWN or FILTERED. */
  sides: Uint8Array;
  /** Of each point. */
  episode: Uint32Array;
  isFiltered: boolean;
}

export interface Found {
  numbers: InsideNumbers;
  /** Rows inside, and of the rest. */
  rows: [inside: number[], rest: number[]];
}

export async function compareInside(
  recording: Recording, query: InsideQuery, selections: readonly Selection[], draws: Draws, within: Uint8Array | null = null,
  hasFrame: (row: number) => boolean = () => true,
): Promise<Found> {
  const parts = recording.meta.action_parts.map((_, part) => partColumn(part));
  await Promise.all([...COLUMNS, ...parts].filter((name) => recording.column(name)).map((name) => recording.load(name)));
  const episodes = await recording.loadEpisodes();
  const sides = await select(recording, query, selections);
  if (within) for (let index = 0; index < sides.length; index++) if (!within[index]) sides[index] = FILTERED;
  const episode = Uint32Array.from(sides, (_, index) => recording.episodeOf(recording.rowOf(index)));
  const points: Points = { recording, episodes, draws, sides, episode, isFiltered: within !== null };
  const rows = [INSIDE, REST].map((side) => rowsOf(points, side)) as Found["rows"];
  const [count, known] = [rows[0].length, rows[0].length + rows[1].length];
  const passes = passing(points, INSIDE);
  const passed = [...passes.keys()].filter((at) => passes[at]);
  const last = episodes.length.map((length) => Math.max(length - 1, 1));
  const step = recording.get("step");
  const levels = episodes.level_seed;
  const sometimes: Known = {};
  if (recording.get("value")) sometimes.value = decoded(points, "value");
  if (recording.get("reward")) sometimes.reward = decoded(points, "reward");
  if (recording.column("success")) sometimes.success = success(points, passes);
  if (recording.get("uncertainty")) sometimes.uncertainty = decoded(points, "uncertainty");
  const numbers: InsideNumbers = {
    count, of: known, num_episodes: passed.length, num_levels: levels && new Set(passed.map((at) => levels[at])).size,
    ...sometimes, parts: parts.map((part) => decoded(points, part)),
    progress: compare(points, (index) => Math.fround((step?.[index] ?? NaN) / last[episode[index]])),
    dwell: dwell(points), ...actions(points),
    clusters: clusters(points, INSIDE), clusters_rest: clusters(points, REST), examples: examples(recording, rows[0].filter(hasFrame)),
  };
  const total = recording.meta.num_states;
  if (within || known < total) numbers.note = (within ? OF_FILTERED : OF_A_SAMPLE).replace("{known:,}", grouped(known)).replace("{total:,}", grouped(total));
  return { numbers, rows };
}

function grouped(number: number): string {
  return number.toLocaleString("en");
}

function rowsOf({ recording, sides }: Points, side: number): number[] {
  const rows: number[] = [];
  sides.forEach((here, index) => here === side && rows.push(recording.rowOf(index)));
  return rows;
}

/** Whether each episode has a state on a side. */
function passing({ episodes, sides, episode }: Points, wanted: number): boolean[] {
  const passes = Array<boolean>(episodes.length.length).fill(false);
  sides.forEach((side, index) => side === wanted && (passes[episode[index]] = true));
  return passes;
}

function compare({ episodes, draws, sides, episode }: Points, value: (index: number) => number): Difference {
  const sums = [noSums(episodes.length.length), noSums(episodes.length.length)];
  sides.forEach((side, index) => {
    if (side === INSIDE || side === REST) add(sums[side === INSIDE ? 0 : 1], episode[index], value(index));
  });
  return contrast(draws, sums[0], sums[1]);
}

/** Compare a column; where some of its numbers are not known, nothing is. */
function decoded(points: Points, name: string): Difference {
  const { recording } = points;
  const values = recording.get(name) as Values;
  const unknown = recording.column(name)?.num_unknown;
  if (unknown) return notCompared(COHENS_D, `${grouped(unknown)} states have no ${recording.column(name)?.title ?? name}, and this file does not say which`);
  return compare(points, (index) => recording.decode(name, values[index]));
}

/** Compare how many of the episodes that pass through, and of those that do not, end with success. */
function success(points: Points, passes: readonly boolean[]): Difference {
  const { episodes, draws } = points;
  const present = points.isFiltered ? passing(points, REST) : episodes.num_rows.map((number) => number > 0);
  const sums = [noSums(passes.length), noSums(passes.length)];
  episodes.success.forEach((success, at) => {
    if (success !== null && (passes[at] || present[at])) add(sums[passes[at] ? 0 : 1], at, Number(success));
  });
  return contrastShares(draws, sums[0], sums[1]);
}

/** Compare for how many consecutive steps the agent dwells inside, and outside. */
function dwell({ recording, episodes, draws, sides, episode, isFiltered }: Points): Difference {
  if (isFiltered) return notCompared(COHENS_D, NOT_FILTERED);
  const step = recording.get("step");
  if (!step || recording.count < recording.meta.num_states || sides.some((side) => side !== INSIDE && side !== REST)) {
    return notCompared(COHENS_D, NOT_IN_A_SAMPLE);
  }
  const sums = [noSums(episodes.length.length), noSums(episodes.length.length)];
  let first = 0;
  for (let index = 1; index <= sides.length; index++) {
    if (index < sides.length && sides[index] === sides[first] && episode[index] === episode[first]) continue;
    add(sums[sides[first] === INSIDE ? 0 : 1], episode[first], step[index - 1] - step[first] + 1);
    first = index;
  }
  return contrast(draws, sums[0], sums[1]);
}

type Actions = Pick<InsideNumbers, "actions" | "actions_rest" | "actions_low" | "actions_high" | "actions_effect" | "actions_effect_name">;

/** Compare the shares of actions; the effect size of all together is Cramér's V. */
function actions({ recording, episodes, draws, sides, episode }: Points): Actions {
  const action = recording.get("action") ?? [];
  const count = recording.meta.num_actions;
  if (!count) return { actions: [], actions_rest: [], actions_low: [], actions_high: [], actions_effect: null, actions_effect_name: CRAMERS_V };
  const numEpisodes = episodes.length.length;
  const ofAll = [INSIDE, REST].map(() => new Float64Array(numEpisodes));
  const ofEach = [INSIDE, REST].map(() => Array.from({ length: count }, () => new Float64Array(numEpisodes)));
  sides.forEach((side, index) => {
    if (side !== INSIDE && side !== REST) return;
    const at = side === INSIDE ? 0 : 1;
    ofAll[at][episode[index]]++;
    ofEach[at][action[index]][episode[index]]++;
  });
  const of = (side: number, which: number): Sums => ({ total: ofEach[side][which], square: ofEach[side][which], number: ofAll[side] });
  const differences = Array.from({ length: count }, (_, which) => contrastShares(draws, of(0, which), of(1, which)));
  const tables = ofEach.map((side) => side.map((counts) => counts.reduce((total, number) => total + number, 0)));
  const shares = tables.map((table) => {
    const total = table.reduce((sum, number) => sum + number, 0);
    return table.map((number) => number / Math.max(total, 1));
  });
  return {
    actions: shares[0], actions_rest: shares[1], actions_low: differences.map(({ low }) => low), actions_high: differences.map(({ high }) => high),
    actions_effect: orNull(cramersV([tables[0], tables[1]])), actions_effect_name: CRAMERS_V,
  };
}

/** States of each cluster on a side; none if the agent has no clusters. */
function clusters({ recording, sides }: Points, side: number): number[] {
  const cluster = recording.get("cluster");
  if (!cluster) return [];
  const counts = Array<number>(recording.meta.num_codes).fill(0);
  sides.forEach((here, index) => here === side && counts[cluster[index]]++);
  return counts;
}

/** Some of the rows, each of another episode: the first in an order that is as good as random. */
function examples(recording: Recording, rows: readonly number[]): number[] {
  const firsts = new Map<number, { row: number; place: number }>();
  for (const row of rows) {
    const place = Math.imul(row, ORDER_FACTOR) >>> 0;
    const episode = recording.episodeOf(row);
    if (place < (firsts.get(episode)?.place ?? Infinity)) firsts.set(episode, { row, place });
  }
  const ordered = [...firsts.values()].sort((one, other) => one.place - other.place);
  return ordered.slice(0, NUM_EXAMPLES).map(({ row }) => row);
}
