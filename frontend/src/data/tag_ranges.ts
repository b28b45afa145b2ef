// Which states have a tag: ranges of rows in order, first and last of each.
import type { Tag } from "./contract";

export type Range = readonly [first: number, last: number];
export type Tags = ReadonlyMap<string, Tag>;

/** Ascending numbers as ranges, first and last of each. */
export function rangesOf(ascending: ArrayLike<number>): [first: number, last: number][] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < ascending.length; at++) {
    const range = ranges[ranges.length - 1];
    if (range && ascending[at] === range[1] + 1) range[1]++;
    else if (!range || ascending[at] !== range[1]) ranges.push([ascending[at], ascending[at]]);
  }
  return ranges;
}

/** Rows that are in both; all ranges in order. */
export function common(one: readonly Range[], other: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (let a = 0, b = 0; a < one.length && b < other.length; ) {
    const [first, last] = [Math.max(one[a][0], other[b][0]), Math.min(one[a][1], other[b][1])];
    if (first <= last) found.push([first, last]);
    if (one[a][1] < other[b][1]) a++;
    else b++;
  }
  return found;
}

/** Rows of one that are not in the other; all ranges in order. */
export function without(one: readonly Range[], other: readonly Range[]): Range[] {
  const found: Range[] = [];
  let at = 0;
  for (const [first, last] of one) {
    while (at < other.length && other[at][1] < first) at++;
    let begin = first;
    for (let next = at; next < other.length && other[next][0] <= last; next++) {
      if (other[next][0] > begin) found.push([begin, other[next][0] - 1]);
      begin = other[next][1] + 1;
    }
    if (begin <= last) found.push([begin, last]);
  }
  return found;
}

export function numRows(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
