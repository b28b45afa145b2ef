// How long filters of a million states take: `npm run bench`. Prints a table as Markdown: median and worst of the runs.
import { HIGHEST, type Meta } from "../src/data/contract";
import { Filtering, keptBins, allCounts } from "../src/data/filtered";
import { Recording } from "../src/data/recording";
import type { Source } from "../src/data/source";

const COUNT = 1_000_000;
const LENGTH = 200;
const RUNS = 15;

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const next = random(7);
const columns: Record<string, Uint8Array | Uint16Array> = {
  value: Uint16Array.from({ length: COUNT }, () => (next() + next() + next()) / 3 * HIGHEST),
  progress: Uint8Array.from({ length: COUNT }, (_, row) => (255 * (row % LENGTH)) / (LENGTH - 1)),
  step: Uint16Array.from({ length: COUNT }, (_, row) => row % LENGTH),
  cluster: Uint8Array.from({ length: COUNT }, () => next() * 8),
  action: Uint8Array.from({ length: COUNT }, () => next() ** 2 * 15),
  reward: Uint8Array.from({ length: COUNT }, () => Number(next() < 0.02)),
  uncertainty: Uint8Array.from({ length: COUNT }, () => 255 * next() ** 2),
  success: Uint8Array.from({ length: COUNT }, (_, row) => Math.floor(row / LENGTH) % 3 && 1),
  "own-0": Uint16Array.from({ length: COUNT }, () => next() ** 3 * HIGHEST),
};
const episodes = Array.from({ length: COUNT / LENGTH }, (_, episode) => episode);
const meta = {
  id: "a", num_states: COUNT, num_shown: COUNT, num_episodes: episodes.length, num_codes: 8, num_actions: 15, success_known: true, planes: [],
  colors: Array(8).fill("#000000"), action_names: Array.from({ length: 15 }, (_, action) => `action ${action}`), action_signs: Array(15).fill("?"),
  columns: Object.entries(columns).map(([name, values]) => ({
    name, dtype: values instanceof Uint8Array ? "uint8" : "uint16", width: 1,
    ...(name === "reward" ? { levels: [0, 10] } : ["value", "own-0"].includes(name) ? { low: -2, high: 10 } : ["progress", "uncertainty"].includes(name) ? { low: 0, high: 1 } : {}),
    ...(name === "own-0" ? { title: "speed" } : {}),
  })),
} as unknown as Meta;
const source = {
  column: (_: string, name: string) => Promise.resolve(columns[name].buffer),
  episodes: () => Promise.resolve({
    first_row: episodes.map((episode) => episode * LENGTH), num_rows: episodes.map(() => LENGTH), length: episodes.map(() => LENGTH),
    episode_return: episodes.map(() => 10 * next()), level_seed: episodes.map((episode) => episode % 500), success: episodes.map((episode) => episode % 3 > 0),
  }),
} as unknown as Source;

const recording = new Recording(meta, source);
const filtering = new Filtering([recording]);
const offered = await filtering.columns(recording);
for (const column of offered) allCounts(recording, column);

function timed(what: string, run: (at: number) => void): void {
  for (let at = 0; at < 5; at++) run(1000 + at);
  const times = Array.from({ length: RUNS }, (_, at) => {
    const began = performance.now();
    run(at);
    return performance.now() - began;
  }).sort((one, other) => one - other);
  console.log(`| ${what} | ${times[RUNS >> 1].toFixed(1)} ms | ${times[RUNS - 1].toFixed(1)} ms |`);
}

const fixed = ["cluster in (1, 3, 5)", "time >= 10%", "2 <= return < 9"];
const histograms = (): void => offered.forEach((column) => filtering.histogram(recording, column, keptBins(recording, column)));
console.log(`| a million states, ${offered.length} columns | median | worst of ${RUNS} |\n|---|---:|---:|`);
timed("a range of value, nothing else", (at) => filtering.set([`value < ${4 + 0.001 * at}`]));
timed("a range of value moves, three other filters stay", (at) => filtering.set([...fixed, `value < ${4 + 0.002 * at}`]));
timed("two columns joined by or", (at) => filtering.set([`value < ${4 + 0.003 * at} or cluster in (3, 5)`]));
filtering.set([...fixed, "value < 4"]);
timed("histograms of all columns, four filters", histograms);
timed("the range moves, and all histograms follow", (at) => {
  filtering.set([...fixed, `value < ${4 + 0.004 * at}`]);
  histograms();
});
