// The moves between clusters, out of the states that pass the filter: counted in the page.
import type { Transitions } from "./contract";
import type { Recording } from "./recording";

/** Moves out of the states that pass; null where the map has only a sample of the states. */
export function filteredMoves(recording: Recording, moves: Transitions, mask: Uint8Array): Transitions | null {
  const [cluster, step, episodes] = [recording.get("cluster"), recording.get("step"), recording.episodes];
  if (!cluster || !step || !episodes || recording.count < recording.meta.num_states) return null;
  const known = kept.get(mask);
  if (known) return known;
  const size = recording.meta.num_codes;
  const table = new Uint32Array(size * size);
  const { first_row, num_rows } = episodes;
  for (let episode = 0; episode < first_row.length; episode++) {
    const end = first_row[episode] + num_rows[episode] - 1;
    for (let index = first_row[episode]; index < end; index++) {
      if (mask[index] && step[index + 1] === step[index] + 1) table[cluster[index] * size + cluster[index + 1]]++;
    }
  }
  const counts = Array.from({ length: size }, (_, from) => [...table.subarray(from * size, (from + 1) * size)]);
  const found = { ...moves, counts, probabilities: counts.map((row) => toOne(row)), leaving: counts.map((row, from) => toOne(row, from)), mean_dwell: counts.map(() => null) };
  kept.set(mask, found);
  return found;
}

const kept = new WeakMap<Uint8Array, Transitions>();

/** Shares of a row's sum, without one of its entries; null where there is nothing. */
function toOne(row: readonly number[], without = -1): (number | null)[] {
  const total = row.reduce((sum, one, at) => (at === without ? sum : sum + one), 0);
  return row.map((one, at) => (at === without || !total ? null : one / total));
}
