// The strip of an episode: its states in the colours of the map, from left to right, a pixel high.
import type { Coloring } from "./colors";

/** The points of an episode: the first, the one after the last, and how many rows lie between the episode's first and each point. */
export interface Span {
  first: number;
  end: number;
  numRows: number;
  offset(index: number): number;
}

export interface Shades {
  coloring: Coloring;
  /** 1 for each point that passes the filters; null: all do. */
  mask: Uint8Array | null;
  /** Clusters, and for each of them [256] 2 if it is shown; the others are dimmed. */
  groups: ArrayLike<number> | null;
  shown: Uint8Array;
}

/** Opacity of what the filters leave out, of 255. */
const DIMMED = 44;
const ON_TOP = 255;

/**
 * Write the colours of a strip `width` pixels wide into `out` (RGBA). Where several states share a pixel, it has the
 * colour that most of them have, or a rare one that the map draws on top; those that do not pass count only among
 * themselves. Where no state is known, it is clear.
 */
export function paintStrip(out: Uint8ClampedArray, width: number, { first, end, numRows, offset }: Span, { coloring, mask, groups, shown }: Shades): void {
  const { values, colors, low, high } = coloring;
  const factor = 255.999 / Math.max(high - low, 1e-9);
  const tone = (index: number): number => (values ? Math.min(Math.max(Math.floor((values[index] - low) * factor), 0), 255) : 0);
  const passes = (index: number): boolean => (!mask || mask[index] === 1) && (!groups || shown[groups[index]] === 2);
  const isScale = coloring.legend.kind === "scale";
  const votes = new Uint16Array(256);
  let next = first;
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x * numRows) / width);
    const until = Math.max(Math.floor(((x + 1) * numRows) / width), from + 1);
    while (next < end && offset(next) < from) next++;
    let [best, isLit, most] = [-1, false, 0];
    let last = next;
    while (last < end && offset(last) < until) {
      const lit = passes(last);
      if (lit && !isLit) { // what passes is shown, not what shares its pixel
        [isLit, best, most] = [true, -1, 0];
        votes.fill(0);
      }
      if (lit === isLit) {
        const own = tone(last);
        const weight = ++votes[own] + (colors[4 * own + 3] === ON_TOP && !isScale ? 0x10000 : 0);
        if (weight > most) [best, most] = [own, weight];
      }
      last++;
    }
    for (let index = next; index < last; index++) votes[tone(index)] = 0;
    const at = 4 * x;
    if (best < 0) out[at + 3] = 0;
    else {
      [out[at], out[at + 1], out[at + 2]] = [colors[4 * best], colors[4 * best + 1], colors[4 * best + 2]];
      out[at + 3] = isLit ? 255 : DIMMED;
    }
  }
}
