// What is inside a selection against the rest, computed in the page: for an exported one, which has no server to ask.
//
// Differences come with 95% intervals by resampling whole episodes, as the server computes them; over the points of the
// page, whose coordinates and values are quantised.
import { marksInside } from "../map/cells";
import type { Difference, Inside, InsideQuery, Selection } from "./contract";
import { type Recording, toUnit, type Values } from "./recording";
import { SourceError } from "./source";

const RESAMPLES = 500;

export async function compareInside(recording: Recording, query: InsideQuery, selections: readonly Selection[]): Promise<Inside> {
  const needed = ["action", "cluster", "value", "reward", "success", ...(recording.count < recording.meta.num_states ? ["row"] : [])];
  await Promise.all(needed.filter((name) => recording.column(name)).map((name) => recording.load(name).catch(() => undefined)));
  const episodes = await recording.loadEpisodes();
  const marks = await marksOf(recording, query, selections);
  const episodeOf = Uint32Array.from({ length: recording.count }, (_, index) => recording.episodeOf(recording.rowOf(index)));
  const count = marks.reduce((sum, mark) => sum + mark, 0);
  const seen = new Set<number>();
  marks.forEach((mark, index) => mark && seen.add(episodeOf[index]));
  const levels = new Set([...seen].map((episode) => episodes.level_seed[episode]));
  const shares = (column: string, length: number, wanted: number): number[] => {
    const found = Array<number>(length).fill(0);
    const values = recording.get(column);
    if (!values) return found;
    let total = 0;
    values.forEach((value, index) => {
      if (marks[index] !== wanted) return;
      found[value]++;
      total++;
    });
    return found.map((number) => number / Math.max(total, 1));
  };
  const { meta } = recording;
  const of = (name: string, decode: (raw: number) => number | null): Difference | null => {
    const values = recording.get(name);
    return values ? difference(values, marks, episodeOf, meta.num_episodes, decode) : null;
  };
  return {
    key: "", count, of: recording.count, num_episodes: seen.size, num_levels: levels.size,
    actions: shares("action", meta.num_actions, 1), actions_rest: shares("action", meta.num_actions, 0),
    clusters: meta.num_codes ? shares("cluster", meta.num_codes, 1).map((share) => Math.round(share * count)) : null,
    value: of("value", (raw) => recording.decode("value", raw)),
    reward: of("reward", (raw) => recording.decode("reward", raw)),
    success: meta.success_known ? of("success", (raw) => (raw === 255 ? null : raw)) : null,
    note: "Computed in this page, over its points.",
  };
}

async function marksOf(recording: Recording, query: InsideQuery, selections: readonly Selection[]): Promise<Uint8Array> {
  if ("clusters" in query) return Uint8Array.from(recording.get("cluster") ?? [], (cluster) => (query.clusters.includes(cluster) ? 1 : 0));
  const drawn = "selection" in query ? selections.find((known) => known.id === query.selection) : query;
  const limits = drawn && recording.plane(drawn.plane)?.limits;
  if (!drawn || !limits) throw new SourceError("This selection was not exported with the page.");
  const points = (await recording.load(drawn.plane)) as Uint16Array;
  return marksInside(points, drawn.polygon.map((point) => toUnit(limits, point)));
}

/** Difference of means between marked and other points, with an interval by resampling episodes and Cohen's d. */
export function difference(
  values: Values,
  marks: Uint8Array,
  episodeOf: Uint32Array,
  numEpisodes: number,
  decode: (raw: number) => number | null,
): Difference {
  // by episode: number and sum of the values inside, then of the rest
  const sums = new Float64Array(4 * numEpisodes);
  let [squares, total, all] = [0, 0, 0];
  values.forEach((raw, index) => {
    const value = decode(raw);
    if (value === null) return;
    const at = 4 * episodeOf[index] + (marks[index] ? 0 : 2);
    sums[at]++;
    sums[at + 1] += value;
    squares += value * value;
    total += value;
    all++;
  });
  const means = (pick: (draw: number) => number): [number, number] => {
    const found = [0, 0, 0, 0];
    for (let draw = 0; draw < numEpisodes; draw++) {
      const at = 4 * pick(draw);
      for (let part = 0; part < 4; part++) found[part] += sums[at + part];
    }
    return [found[1] / found[0], found[3] / found[2]];
  };
  const [inside, rest] = means((draw) => draw);
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * numEpisodes);
  };
  const drawn = Array.from({ length: RESAMPLES }, () => means(random)).map(([one, other]) => one - other).filter(Number.isFinite).sort((one, other) => one - other);
  const at = (share: number): number | null => drawn[Math.min(Math.floor(share * drawn.length), drawn.length - 1)] ?? null;
  const spread = Math.sqrt(Math.max(squares / all - (total / all) ** 2, 0));
  const known = Number.isFinite(inside - rest);
  return {
    inside: Number.isFinite(inside) ? inside : null, rest: Number.isFinite(rest) ? rest : null,
    difference: known ? inside - rest : null, low: at(0.025), high: at(0.975), effect: known && spread > 0 ? (inside - rest) / spread : null,
  };
}
