// Which points of an exported page are inside a selection, which are not, and of which that cannot be said.
import { marksInside } from "../map/cells";
import { type InsideQuery, NOT_PLACED, type Selection } from "./contract";
import { type Recording, toUnit } from "./recording";
import { SourceError } from "./source";

export const REST = 0;
export const INSIDE = 1;
/** The plane in which the selection was drawn does not hold the point. */
export const UNKNOWN = 2;
/** It does not pass the page's filter. */
export const FILTERED = 3;

/** INSIDE, REST or UNKNOWN for each point. */
export async function select(recording: Recording, query: InsideQuery, selections: readonly Selection[]): Promise<Uint8Array> {
  if ("clusters" in query) {
    return Uint8Array.from(recording.get("cluster") ?? [], (cluster) => (query.clusters.includes(cluster) ? INSIDE : REST));
  }
  const drawn = "selection" in query ? selections.find((known) => known.id === query.selection) : query;
  const limits = drawn && recording.plane(drawn.plane)?.limits;
  if (!drawn || !limits) throw new SourceError("This selection was not exported with the page.");
  const points = (await recording.load(drawn.plane)) as Uint16Array;
  const sides = marksInside(points, drawn.polygon.map((point) => toUnit(limits, point)));
  for (let index = 0; index < sides.length; index++) {
    if (points[2 * index] === NOT_PLACED && points[2 * index + 1] === NOT_PLACED) sides[index] = UNKNOWN;
  }
  return sides;
}
