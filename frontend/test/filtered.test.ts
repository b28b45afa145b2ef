// Cards and moves of the states that pass a filter are what a loop over these states counts.
import assert from "node:assert/strict";
import test from "node:test";
import type { Cards, ClusterCard, Episodes, Transitions } from "../src/data/contract";
import { filteredCards, loadForCards } from "../src/data/filtered_cards";
import { filteredMoves } from "../src/data/filtered_moves";
import type { Recording } from "../src/data/recording";
import { differs, GOLDEN, open } from "./golden";

async function opened(name: string): Promise<{ recording: Recording; mask: Uint8Array }> {
  const { recording } = await open(GOLDEN.recordings.find((stored) => stored.name === name) ?? GOLDEN.recordings[0]);
  await loadForCards(recording);
  if (recording.column("row")) await recording.load("row").catch(() => null);
  return { recording, mask: Uint8Array.from({ length: recording.count }, (_, index) => Number(index % 7 < 4 && recording.episodeOf(recording.rowOf(index)) % 4 > 0)) };
}

for (const name of ["clusters", "a sample"]) {
  test(`cards of the states that pass: ${name}`, async () => {
    const { recording, mask } = await opened(name);
    const { num_codes, num_actions } = recording.meta;
    const edges = { value_edges: [-1, 0, 0.5, 2, 3], progress_edges: [0, 0.25, 0.5, 0.75, 1] };
    const cards = { ...edges, all: null, clusters: Array.from({ length: num_codes }, (_, cluster) => ({ cluster, clip: [] }) as unknown as ClusterCard) } as Cards;
    const found = filteredCards(recording, cards, mask);
    const { success, length } = recording.episodes as Episodes;
    const all = Array.from(mask, (passes, index) => (passes ? index : -1)).filter((index) => index >= 0);
    const at = (column: string, index: number): number => recording.get(column)?.[index] as number;
    const episode = (index: number): number => recording.episodeOf(recording.rowOf(index));
    const histogram = (limits: number[], numbers: number[]): number[] => limits.slice(1).map((high, bin) =>
      numbers.map((number) => Math.min(Math.max(number, limits[0]), limits[limits.length - 1])).filter((number) => number >= limits[bin] && (number < high || (bin === limits.length - 2 && number === high))).length / Math.max(numbers.length, 1));
    const summary = (rows: number[]): unknown => {
      const ended = [...new Set(rows.map(episode))].map((one) => success[one]).filter((one) => one !== null);
      return {
        actions: Array.from({ length: num_actions }, (_, action) => rows.filter((index) => at("action", index) === action).length / Math.max(rows.length, 1)),
        values: histogram(edges.value_edges, rows.map((index) => recording.decode("value", at("value", index)))),
        progress: histogram(edges.progress_edges, rows.map((index) => at("step", index) / Math.max(length[episode(index)] - 1, 1))),
        success: ended.length ? ended.filter(Boolean).length / ended.length : null,
      };
    };
    assert.equal(differs(found.all, summary(all)), null);
    for (const { cluster, clip, num_states, share, num_episodes, num_ended, ...card } of found.clusters) {
      const rows = all.filter((index) => at("cluster", index) === cluster);
      assert.deepEqual([clip, num_states, share], [[], rows.length, rows.length / all.length]);
      const episodes = [...new Set(rows.map(episode))];
      assert.deepEqual([num_episodes, num_ended], [episodes.length, episodes.filter((one) => success[one] !== null).length]);
      assert.equal(differs(card, summary(rows)), null);
    }
  });
}

test("moves out of the states that pass; a sample does not say them", async () => {
  const { recording, mask } = await opened("clusters");
  const cluster = recording.get("cluster") as Uint8Array;
  const step = recording.get("step") as Uint16Array;
  const moves = filteredMoves(recording, {} as Transitions, mask) as Transitions;
  const size = recording.meta.num_codes;
  let total = 0;
  for (let from = 0; from < size; from++) {
    const after = Array.from(mask, (passes, index) => (passes && cluster[index] === from && recording.episodeOf(index) === recording.episodeOf(index + 1) && index + 1 < mask.length && step[index + 1] === step[index] + 1 ? cluster[index + 1] : -1)).filter((to) => to >= 0);
    const left = after.filter((to) => to !== from);
    total += after.length;
    for (let to = 0; to < size; to++) {
      const number = after.filter((one) => one === to).length;
      assert.equal(moves.counts[from][to], number);
      assert.equal(moves.probabilities[from][to], after.length ? number / after.length : null);
      assert.equal(moves.leaving[from][to], from === to || !left.length ? null : number / left.length);
    }
  }
  assert.ok(total > 100);
  const sample = await opened("a sample");
  assert.equal(filteredMoves(sample.recording, {} as Transitions, sample.mask), null);
});
