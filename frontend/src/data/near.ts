// The states nearest to one in a plane, computed in the page: for an exported one, from where its points lie.
import { HIGHEST, type Near, type NearQuery, NOT_PLACED, NUM_NEAREST } from "./contract";
import { episodesOfPoints } from "./filter_columns";
import type { Recording } from "./recording";
import { SourceError } from "./source";

export async function nearInPlane(recording: Recording, { row, plane, episodes }: NearQuery, within: Uint8Array | null): Promise<Near> {
  const limits = recording.plane(plane)?.limits;
  if (!limits) throw new SourceError("This plane was not exported with the page.");
  const [points] = await Promise.all([recording.load(plane), recording.loadEpisodes(), recording.count < recording.meta.num_states && recording.load("row")]);
  const index = recording.indexOf(row);
  const unit = index < 0 ? null : recording.unit(plane, index);
  if (!unit) throw new SourceError(`State ${row.toLocaleString("en")} does not lie in this plane.`);
  const episode = episodesOfPoints(recording);
  const [left, right] = limits;
  const scale = (right - left) / HIGHEST;
  const [x, y] = [points[2 * index], points[2 * index + 1]];
  const distances = new Float32Array(recording.count).fill(Infinity);
  for (let other = 0; other < recording.count; other++) {
    if (other === index || (within && !within[other]) || (episodes !== "all" && episode[other] === episode[index])) continue;
    const [px, py] = [points[2 * other], points[2 * other + 1]];
    if (px === NOT_PLACED && py === NOT_PLACED) continue;
    distances[other] = Math.hypot(px - x, py - y) * scale;
  }
  const found = nearest(distances, episodes === "each" ? episode : null);
  const isSample = recording.count < recording.meta.num_states;
  return {
    rows: found.map((other) => recording.rowOf(other)), distances: found.map((other) => distances[other]),
    ...(isSample ? { note: `Of the ${recording.count.toLocaleString("en")} states in this file.` } : {}),
  };
}

/** The places of the least numbers, the least first; of each key one at most. */
function nearest(distances: Float32Array, keys: Uint32Array | null): number[] {
  const best = new Map<number, number>();
  if (keys) {
    distances.forEach((distance, at) => {
      const before = best.get(keys[at]);
      if (distance < Infinity && (before === undefined || distance < distances[before])) best.set(keys[at], at);
    });
  }
  const offered = keys ? [...best.values()] : below(distances);
  return offered.sort((one, other) => distances[one] - distances[other] || one - other).slice(0, NUM_NEAREST);
}

/** The places of the numbers that may be among the least: no more than a few of them need to be sorted. */
function below(distances: Float32Array): number[] {
  const ordered = distances.slice().sort();
  const bound = ordered[Math.min(NUM_NEAREST, ordered.length) - 1] ?? Infinity;
  const [found, equal]: [number[], number[]] = [[], []];
  for (let at = 0; at < distances.length; at++) {
    if (distances[at] < bound) found.push(at);
    else if (distances[at] === bound && bound < Infinity && equal.length < NUM_NEAREST) equal.push(at);
  }
  return [...found, ...equal];
}
