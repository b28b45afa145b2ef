// How two sets of states differ in a number: as semantic_rl.analysis.effect_sizes computes it, whose draws of episodes an
// exported page brings along. Axes: E episodes, U units of episodes that are drawn together, R draws.
import { COHENS_D, COHENS_H, type Difference, LEVEL, NOTHING, TOO_FEW } from "./contract";

/** Numbers of one set, added up over each episode; all [E]. */
export interface Sums {
  total: Float64Array;
  /** Of squares. */
  square: Float64Array;
  number: Float64Array;
}

/** The draws of episodes that all intervals share. */
export interface Draws {
  numUnits: number;
  /** 0 where there is but one unit. */
  numDraws: number;
  /** [E]: the unit of each episode. */
  unit: Uint8Array;
  /** [R, U]: how often each unit is drawn. */
  counts: Uint8Array;
}

/** Take apart: uint32 U and R, then the units, then the counts. */
export function readDraws(content: ArrayBuffer): Draws {
  const [numUnits, numDraws] = new Uint32Array(content, 0, 2);
  const start = content.byteLength - numUnits * numDraws;
  return { numUnits, numDraws, unit: new Uint8Array(content, 8, start - 8), counts: new Uint8Array(content, start) };
}

export function noSums(numEpisodes: number): Sums {
  return { total: new Float64Array(numEpisodes), square: new Float64Array(numEpisodes), number: new Float64Array(numEpisodes) };
}

/** Add a number of an episode to the sums. */
export function add(sums: Sums, episode: number, value: number): void {
  sums.total[episode] += value;
  sums.square[episode] += value * value;
  sums.number[episode]++;
}

/** Compare the means of two sets. */
export function contrast(draws: Draws, inside: Sums, rest: Sums): Difference {
  return difference(draws, inside, rest, cohensD(inside, rest), COHENS_D);
}

/** Compare two shares: numbers that are 0 or 1. */
export function contrastShares(draws: Draws, inside: Sums, rest: Sums): Difference {
  return difference(draws, inside, rest, cohensH(mean(inside), mean(rest)), COHENS_H);
}

/** A difference of which nothing is known, and why. */
export function notCompared(effect_name: string, note: string): Difference {
  const numbers = { inside: null, rest: null, difference: null, low: null, high: null, effect: null };
  return { ...numbers, effect_name, num_episodes: 0, num_episodes_rest: 0, note };
}

function difference(draws: Draws, inside: Sums, rest: Sums, effect: number, effect_name: string): Difference {
  const found: Difference = {
    inside: orNull(mean(inside)), rest: orNull(mean(rest)), difference: orNull(mean(inside) - mean(rest)), low: null, high: null,
    effect: orNull(effect), effect_name, num_episodes: episodesOf(inside), num_episodes_rest: episodesOf(rest),
  };
  if (!found.num_episodes || !found.num_episodes_rest) return { ...found, note: NOTHING };
  const theirs = drawsOfMean(draws, rest);
  const drawn = drawsOfMean(draws, inside).map((value, draw) => value - theirs[draw]);
  if (!drawn.length || drawn.some((value) => !Number.isFinite(value))) return { ...found, note: TOO_FEW };
  const sorted = drawn.sort();
  const [low, high] = [(1 - LEVEL) / 2, (1 + LEVEL) / 2].map((share) => quantile(sorted.length, (rank) => sorted[rank], share));
  return { ...found, low, high };
}

/** The mean in each draw, NaN where it has no numbers. */
function drawsOfMean({ numUnits, numDraws, unit, counts }: Draws, sums: Sums): Float64Array {
  const [totals, numbers] = [new Float64Array(numUnits), new Float64Array(numUnits)];
  sums.total.forEach((total, episode) => {
    totals[unit[episode]] += total;
    numbers[unit[episode]] += sums.number[episode];
  });
  return Float64Array.from({ length: numDraws }, (_, draw) => {
    let [total, number] = [0, 0];
    for (let at = 0; at < numUnits; at++) {
      const times = counts[draw * numUnits + at];
      total += times * totals[at];
      number += times * numbers[at];
    }
    return total / number; // NaN of nothing: 0 / 0
  });
}

/** Of `count` numbers, of which `at` gives the one of a rank from 0: interpolated between the two nearest, as NumPy does. */
export function quantile(count: number, at: (rank: number) => number, share: number): number {
  const place = share * (count - 1);
  const below = Math.floor(place);
  const [low, high] = [at(below), at(Math.min(below + 1, count - 1))];
  return low + (high - low) * (place - below);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(sums: Sums): number {
  return sum(sums.total) / sum(sums.number);
}

function episodesOf(sums: Sums): number {
  return sums.number.reduce((count, number) => count + (number > 0 ? 1 : 0), 0);
}

/** The difference of means over the pooled standard deviation; NaN where there is none. */
export function cohensD(inside: Sums, rest: Sums): number {
  const [count, countRest] = [sum(inside.number), sum(rest.number)];
  if (Math.min(count, countRest) < 1 || count + countRest < 3) return NaN;
  const squares = sum(inside.square) - sum(inside.total) ** 2 / count + (sum(rest.square) - sum(rest.total) ** 2 / countRest);
  const deviation = Math.sqrt(Math.max(squares, 0) / (count + countRest - 2));
  return deviation > 0 ? (mean(inside) - mean(rest)) / deviation : NaN;
}

/** The difference of two shares on the scale on which equal steps are equally easy to tell apart. */
export function cohensH(inside: number, rest: number): number {
  return 2 * Math.asin(Math.sqrt(inside)) - 2 * Math.asin(Math.sqrt(rest));
}

/** How strongly the rows of a table of counts [2, A] differ: 0 not at all, 1 entirely; NaN for no counts. */
export function cramersV(rows: readonly [readonly number[], readonly number[]]): number {
  const columns = rows[0].map((count, at) => count + rows[1][at]).map((count, at) => ({ count, at })).filter(({ count }) => count > 0);
  const sizes = rows.map((row) => row.reduce((total, count) => total + count, 0));
  const total = sizes[0] + sizes[1];
  if (!sizes[0] || !sizes[1] || columns.length < 2) return NaN;
  let squares = 0;
  for (const { count, at } of columns) {
    rows.forEach((row, side) => {
      const expected = (sizes[side] * count) / total;
      squares += (row[at] - expected) ** 2 / expected;
    });
  }
  return Math.sqrt(squares / total);
}

export function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
