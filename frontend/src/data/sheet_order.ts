// The order of states on a contact sheet: sorted by a column, and gathered into groups. All in typed arrays, for a million.
import type { FilterColumn } from "./filter_columns";

/** Sort points by a column: equal ones stay in the order in which they are, those without a number come last. */
export function sorted(points: Uint32Array, column: FilterColumn, descending: boolean): Uint32Array {
  const codes = column.codes();
  const { ranks, count } = ranksOf(column, descending);
  const starts = new Uint32Array(count + 1);
  const { length } = points;
  for (let at = 0; at < length; at++) starts[ranks[codes[points[at]]] + 1]++;
  for (let rank = 0; rank < count; rank++) starts[rank + 1] += starts[rank];
  const found = new Uint32Array(length);
  for (let at = 0; at < length; at++) found[starts[ranks[codes[points[at]]]]++] = points[at];
  return found;
}

/** The place of each code among the codes, from 0; equal numbers have the same. */
function ranksOf(column: FilterColumn, descending: boolean): { ranks: Uint32Array; count: number } {
  const size = column.numCodes();
  const numbers = new Float64Array(size);
  const texts = column.texts;
  if (texts) {
    numbers.fill(NaN);
    texts.forEach(({ code }, place) => (numbers[code] = place));
  } else for (let code = 0; code < size; code++) numbers[code] = column.number(code);
  const known = Uint32Array.from(numbers.keys()).filter((code) => !Number.isNaN(numbers[code]));
  known.sort((one, other) => (descending ? numbers[other] - numbers[one] : numbers[one] - numbers[other]));
  const ranks = new Uint32Array(size);
  let rank = -1;
  known.forEach((code, at) => {
    if (at === 0 || numbers[code] !== numbers[known[at - 1]]) rank++;
    ranks[code] = rank;
  });
  rank++;
  for (let code = 0; code < size; code++) if (Number.isNaN(numbers[code])) ranks[code] = rank;
  return { ranks, count: rank + 1 };
}

export interface Groups {
  points: Uint32Array;
  /** Where each group begins in `points`; and, last, where all end. */
  starts: Uint32Array;
  /** What the points of each group have in common. */
  keys: Uint32Array;
}

/** Gather points of one key, of which there are `numKeys`: groups and points stay in the order in which they come first. */
export function grouped(points: Uint32Array, keyOf: ArrayLike<number>, numKeys: number): Groups {
  const place = new Int32Array(numKeys).fill(-1);
  const counts = new Uint32Array(numKeys);
  const keys: number[] = [];
  const { length } = points;
  for (let at = 0; at < length; at++) {
    const key = keyOf[points[at]];
    if (place[key] < 0) {
      place[key] = keys.length;
      keys.push(key);
    }
    counts[place[key]]++;
  }
  const starts = new Uint32Array(keys.length + 1);
  for (let group = 0; group < keys.length; group++) starts[group + 1] = starts[group] + counts[group];
  const next = starts.slice(0, keys.length);
  const found = new Uint32Array(length);
  for (let at = 0; at < length; at++) found[next[place[keyOf[points[at]]]]++] = points[at];
  return { points: found, starts, keys: Uint32Array.from(keys) };
}

/** All points in one group that has no key. */
export function ungrouped(points: Uint32Array): Groups {
  return { points, starts: Uint32Array.of(0, points.length), keys: new Uint32Array(0) };
}
