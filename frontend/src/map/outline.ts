// The outline of a lasso as it is asked about: no corner more than it needs, no digit more than the map can show.
import { HIGHEST, type Limits, type Point } from "../data/contract";

/** Leave out corners that lie no further than `tolerance` from the line without them (Ramer, 1972; Douglas and Peucker, 1973). */
export function simplified(outline: readonly Point[], tolerance: number): Point[] {
  const kept = new Uint8Array(outline.length);
  kept[0] = kept[outline.length - 1] = 1;
  const open: [number, number][] = [[0, outline.length - 1]];
  for (let span = open.pop(); span; span = open.pop()) {
    const [start, end] = span;
    let [furthest, most] = [-1, tolerance];
    for (let at = start + 1; at < end; at++) {
      const away = distance(outline[at], outline[start], outline[end]);
      if (away > most) [furthest, most] = [at, away];
    }
    if (furthest < 0) continue;
    kept[furthest] = 1;
    open.push([start, furthest], [furthest, end]);
  }
  const found = outline.filter((_, at) => kept[at]);
  return found.length > 2 ? found : [...outline];
}

/** From a point to the stretch between two others. */
function distance([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0), 1);
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/** Round to what positions on the map are rounded to, or a little finer. */
export function rounded(outline: readonly Point[], [left, right]: Limits): Point[] {
  const digits = Math.min(Math.max(Math.ceil(-Math.log10((right - left) / HIGHEST)), 0), 12);
  return outline.map(([x, y]): Point => [Number(x.toFixed(digits)), Number(y.toFixed(digits))]);
}
