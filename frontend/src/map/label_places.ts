// Where badges and names of clusters stand on a map so that none covers another: in pixels.
import type { Point } from "../data/contract";

/** Diameter of a badge with its rim. */
export const BADGE = 24;
const NAME_HEIGHT = 20;
const GAP = 3;
const ROUNDS = 12;

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Move badges that overlap away from each other, each as far as the other. Runs in every frame: numbers in flat arrays. */
export function apart(places: readonly (Point | null)[]): (Point | null)[] {
  const x = Float64Array.from(places, (place) => place?.[0] ?? NaN); // no number is near to NaN
  const y = Float64Array.from(places, (place) => place?.[1] ?? NaN);
  for (let round = 0; round < ROUNDS; round++) {
    let isDone = true;
    for (let one = 0; one < x.length; one++) {
      for (let other = 0; other < one; other++) {
        const [dx, dy] = [x[one] - x[other], y[one] - y[other]];
        const square = dx * dx + dy * dy;
        if (!(square < BADGE * BADGE)) continue;
        const length = Math.sqrt(square);
        const by = (BADGE - length) / 2 + 0.01;
        const [ux, uy] = length > 0 ? [dx / length, dy / length] : [1, 0];
        x[one] += ux * by;
        y[one] += uy * by;
        x[other] -= ux * by;
        y[other] -= uy * by;
        isDone = false;
      }
    }
    if (isDone) break;
  }
  return places.map((place, at) => place && [x[at], y[at]]);
}

/** From each badge's middle, where its name begins (left, top): beside, below or above it; null where there is no room. */
export function namePlaces(badges: readonly (Point | null)[], widths: readonly number[], size: Point): (Point | null)[] {
  const around = (at: Point): Box => ({ left: at[0] - BADGE / 2, right: at[0] + BADGE / 2, top: at[1] - BADGE / 2, bottom: at[1] + BADGE / 2 });
  const taken: Box[] = badges.filter((badge) => badge !== null).map(around);
  return badges.map((badge, at) => {
    const width = widths[at];
    if (!badge || !width) return null;
    const beside = BADGE / 2 + GAP;
    const offsets: Point[] = [
      [beside, -NAME_HEIGHT / 2], [-beside - width, -NAME_HEIGHT / 2], [-width / 2, BADGE / 2 + 1], [-width / 2, -BADGE / 2 - NAME_HEIGHT - 1],
    ];
    const boxOf = ([dx, dy]: Point): Box => ({ left: badge[0] + dx, right: badge[0] + dx + width, top: badge[1] + dy, bottom: badge[1] + dy + NAME_HEIGHT });
    const found = offsets.find((offset) => {
      const box = boxOf(offset);
      const fits = badge[0] < 0 || badge[0] > size[0] || (box.left >= 0 && box.right <= size[0]);
      return fits && !taken.some((other) => overlap(box, other));
    });
    if (!found) return null;
    taken.push(boxOf(found));
    return found;
  });
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
