// The timeline: in which order episodes stand, what of them the filters leave, what their strips show, which paths are drawn.
import assert from "node:assert/strict";
import test from "node:test";
import type { Episodes } from "../src/data/contract";
import { episodesLeft, firstDirection, orderNumber, ORDERS, pointsOfEpisode, sortedEpisodes } from "../src/data/episode_order";
import { MOST_PATHS, type Paths, readPaths, toggledPath, withoutPath, withPath, writePaths } from "../src/data/paths";
import type { Recording } from "../src/data/recording";
import { FIRST_VIEW, readHash, writeHash } from "../src/data/view";
import { colorize } from "../src/map/colors";
import { paintStrip } from "../src/map/strips";
import { GOLDEN, open } from "./golden";

async function opened(name: string): Promise<Recording> {
  const { recording } = await open(GOLDEN.recordings.find((stored) => stored.name === name) ?? GOLDEN.recordings[0]);
  await recording.loadEpisodes();
  await Promise.all(recording.meta.columns.filter((column) => GOLDEN.recordings.some(({ blocks }) => column.name in blocks)).map(({ name: column }) => recording.load(column).catch(() => null)));
  return recording;
}

test("episodes are sorted in every order, unknown ones last, equal ones as they were played", async () => {
  const { episodes } = await opened("many episodes");
  const known = episodes as Episodes;
  for (const by of ORDERS) {
    for (const down of [false, true]) {
      const found = [...sortedEpisodes(known, { by, down }, null)];
      assert.deepEqual([...found].sort((one, other) => one - other), known.length.map((_, episode) => episode));
      found.slice(1).forEach((after, at) => {
        const [one, other] = [found[at], after].map((episode) => orderNumber(known, by, episode));
        if (one === null) assert.equal(other, null, "nothing known comes after what is not");
        else if (other !== null) assert.ok(one === other ? found[at] < after : down ? one > other : one < other);
      });
    }
  }
  assert.ok(firstDirection("return") && !firstDirection("success"), "the best first, failures first");
});

for (const name of ["clusters", "a sample"]) {
  test(`points of episodes, and which episodes are left: ${name}`, async () => {
    const recording = await opened(name);
    const { num_episodes } = recording.meta;
    const episode = Array.from({ length: recording.count }, (_, index) => recording.episodeOf(recording.rowOf(index)));
    for (let at = 0; at < num_episodes; at++) {
      const [first, end] = pointsOfEpisode(recording, at);
      assert.deepEqual(Array.from({ length: end - first }, (_, offset) => first + offset), episode.flatMap((one, index) => (one === at ? [index] : [])));
    }
    const mask = Uint8Array.from(episode, (one, index) => Number(one % 3 === 1 && index % 5 === 0));
    const left = episodesLeft(recording, mask);
    assert.deepEqual([...left], Array.from({ length: num_episodes }, (_, at) => Number(episode.some((one, index) => one === at && mask[index]))));
    assert.deepEqual([...sortedEpisodes(recording.episodes as Episodes, { by: "played", down: false }, left)], [...left].flatMap((is, at) => (is ? [at] : [])));
  });

  test(`a strip has the colours of its states: ${name}`, async () => {
    const recording = await opened(name);
    const { first_row, num_rows } = recording.episodes as Episodes;
    const coloring = colorize(recording, { ...FIRST_VIEW, color: "cluster" }, false);
    const clusters = recording.get("cluster") as Uint8Array;
    const [first, end] = pointsOfEpisode(recording, 2);
    const span = { first, end, numRows: num_rows[2], offset: (index: number) => recording.rowOf(index) - first_row[2] };
    const mask = Uint8Array.from(clusters, (_, index) => Number(index % 4 !== 0));
    const shown = new Uint8Array(256).fill(2);
    const width = 3 * num_rows[2] + 1;
    const out = new Uint8ClampedArray(4 * width);
    paintStrip(out, width, span, { coloring, mask, groups: clusters, shown });
    for (let x = 0; x < width; x++) {
      const index = recording.indexOf(first_row[2] + Math.floor((x * num_rows[2]) / width));
      const expected = index < 0 ? 0 : mask[index] ? 255 : 44;
      assert.equal(out[4 * x + 3], expected);
      if (index >= 0) assert.deepEqual([...out.slice(4 * x, 4 * x + 3)], [...coloring.colors.slice(4 * clusters[index], 4 * clusters[index] + 3)]);
    }
  });
}

test("where states share a pixel, most of them decide, rare ones lie on top, and what passes comes before what does not", () => {
  const values = Uint8Array.from([1, 1, 1, 2, 1, 1, 1, 3, 3, 1, 1, 1]);
  const colors = new Uint8Array(4 * 256);
  for (let tone = 0; tone < 256; tone++) colors.set([tone, tone, tone, tone === 2 ? 255 : 128], 4 * tone);
  const coloring = { values, isMade: false, colors, low: -0.5, high: 255.5, legend: { kind: "categories" as const, items: [] } };
  const span = { first: 0, end: 12, numRows: 12, offset: (index: number) => index };
  const strip = (mask: Uint8Array | null): number[] => {
    const out = new Uint8ClampedArray(12);
    paintStrip(out, 3, span, { coloring, mask, groups: null, shown: new Uint8Array(256) });
    return [...out];
  };
  assert.deepEqual(strip(null), [2, 2, 2, 255, 1, 1, 1, 255, 1, 1, 1, 255]);
  assert.deepEqual(strip(Uint8Array.from(values, (value) => Number(value === 3))), [2, 2, 2, 44, 3, 3, 3, 255, 3, 3, 3, 255]);
});

test("paths keep their places when others go, and the address holds them", () => {
  let paths: Paths = [];
  for (const episode of [12, 7, 3]) paths = toggledPath(paths, "a", episode);
  paths = withPath(paths, "b", 3);
  assert.equal(writePaths(paths), "12,7,3,b3");
  paths = toggledPath(paths, "a", 7);
  assert.equal(writePaths(paths), "12,,3,b3");
  assert.deepEqual(readPaths(writePaths(paths)), paths);
  assert.equal(writePaths(withPath(paths, "a", 50)), "12,50,3,b3");
  assert.equal(writePaths(withoutPath(paths, "b", 3)), "12,,3");
  assert.equal(withPath(paths, "a", 3), paths, "it is there");
  for (let episode = 100; episode < 120; episode++) paths = withPath(paths, "a", episode);
  assert.equal(paths.length, MOST_PATHS);
  assert.deepEqual(readPaths("12,x,-3,12,,"), [{ rec: "a", episode: 12 }]);
  const view = { ...FIRST_VIEW, paths, order: { by: "return" as const, down: false }, stretched: true };
  const address = writeHash({ view, episode: null, step: null, zoom: {}, lasso: null });
  assert.deepEqual({ ...FIRST_VIEW, ...readHash(address).view }, view);
  assert.deepEqual(readHash("#order=-success").view.order, { by: "success", down: true });
  assert.deepEqual(readHash("#order=beauty").view.order, FIRST_VIEW.order);
});
