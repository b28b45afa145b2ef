// The cards of the clusters, of the states that pass the filter: counted in the page.
import type { AllStates, Cards, ClusterCard, Episodes } from "./contract";
import { episodesOfPoints } from "./filter_columns";
import { lastNotAbove, type Recording } from "./recording";

/** Columns that cards are made of, where a recording has them. */
const COLUMNS = ["cluster", "action", "value", "step"] as const;

export interface FilteredCards {
  /** Visits, dwells, clips and typical states are of all states: they need unbroken runs, or frames. */
  clusters: ClusterCard[];
  all: AllStates;
}

export async function loadForCards(recording: Recording): Promise<void> {
  await Promise.all([recording.loadEpisodes(), ...COLUMNS.filter((name) => recording.column(name)).map((name) => recording.load(name))]);
}

/** Count what the cards show, of the points marked 1; their columns must be loaded. */
export function filteredCards(recording: Recording, cards: Cards, mask: Uint8Array): FilteredCards {
  const { num_codes, num_actions, num_episodes } = recording.meta;
  const { length, success } = recording.episodes as Episodes;
  const [cluster, action, value, step] = COLUMNS.map((name) => recording.get(name));
  const [valueEdges, timeEdges] = [cards.value_edges, cards.progress_edges];
  const numValues = value && valueEdges.length ? valueEdges.length - 1 : 0;
  const numTimes = timeEdges.length - 1;
  const valueBins = Uint8Array.from({ length: numValues ? 65536 : 0 }, (_, code) => binOf(valueEdges, recording.decode("value", code)));
  const episode = episodesOfPoints(recording);
  const last = Float64Array.from(length, (steps) => Math.max(steps - 1, 1));
  const counts = new Uint32Array(num_codes);
  const actions = new Uint32Array(num_codes * num_actions);
  const values = new Uint32Array(num_codes * numValues);
  const times = new Uint32Array(num_codes * numTimes);
  const seen = new Uint8Array((num_codes + 1) * num_episodes); // of each cluster, and of all
  for (let index = 0; index < mask.length; index++) {
    if (!mask[index] || !cluster) continue;
    const own = cluster[index];
    counts[own]++;
    if (action && num_actions) actions[own * num_actions + action[index]]++;
    if (value && numValues) values[own * numValues + valueBins[value[index]]]++;
    if (step) times[own * numTimes + binOf(timeEdges, step[index] / last[episode[index]])]++;
    seen[own * num_episodes + episode[index]] = 1;
    seen[num_codes * num_episodes + episode[index]] = 1;
  }
  const total = counts.reduce((sum, one) => sum + one, 0);
  const shares = (table: Uint32Array, width: number, own: number): number[] => Array.from(table.subarray(own * width, (own + 1) * width), (one) => one / Math.max(counts[own], 1));
  const sharesOfAll = (table: Uint32Array, width: number): number[] => Array.from({ length: width }, (_, bin) => {
    let sum = 0;
    for (let own = 0; own < num_codes; own++) sum += table[own * width + bin];
    return sum / Math.max(total, 1);
  });
  const ended = (own: number): { num_episodes: number; num_ended: number; success: number | null } => {
    let [number, known, good] = [0, 0, 0];
    for (let at = 0; at < num_episodes; at++) {
      if (!seen[own * num_episodes + at]) continue;
      number++;
      known += Number(success[at] !== null);
      good += Number(success[at]);
    }
    return { num_episodes: number, num_ended: known, success: known ? good / known : null };
  };
  return {
    clusters: cards.clusters.map((card) => {
      const own = card.cluster;
      return {
        ...card, num_states: counts[own], share: counts[own] / Math.max(total, 1), ...ended(own), actions: shares(actions, num_actions, own),
        values: shares(values, numValues, own), progress: shares(times, numTimes, own),
      };
    }),
    all: { actions: sharesOfAll(actions, num_actions), values: sharesOfAll(values, numValues), progress: sharesOfAll(times, numTimes), success: ended(num_codes).success },
  };
}

/** As numpy.histogram counts: what lies on an edge belongs to the right, on the last one to the left; what lies outside, to the outermost. */
function binOf(edges: readonly number[], number: number): number {
  return Math.min(Math.max(lastNotAbove(edges, number), 0), edges.length - 2);
}
