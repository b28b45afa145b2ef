// What the page computes itself is what the Python definition says: statistics of selections, scales of colours, cells.
import assert from "node:assert/strict";
import test from "node:test";
import { NOTHING, type Point, TOO_FEW } from "../src/data/contract";
import { compareInside } from "../src/data/inside";
import { toUnit } from "../src/data/recording";
import { codeCells } from "../src/map/cells";
import { spread } from "../src/map/color_scale";
import { differs, GOLDEN, open } from "./golden";

for (const stored of GOLDEN.recordings) {
  for (const { query, answer } of stored.cases) {
    const what = "polygon" in query ? `${query.polygon.length} vertices in ${query.plane}` : JSON.stringify({ ...query, within: undefined });
    test(`inside, ${stored.name}: ${what}${query.within ? ", within a filter" : ""}`, async () => {
      const { recording, draws } = await open(stored);
      const bits = query.within === undefined ? null : Uint8Array.from(atob(query.within), (character) => character.charCodeAt(0));
      const within = bits && Uint8Array.from({ length: recording.count }, (_, index) => (bits[index >> 3] >> (index & 7)) & 1);
      const { numbers, rows } = await compareInside(recording, query, [], draws, within);
      assert.equal(differs(numbers, answer), null);
      assert.equal(rows[0].length, answer.count);
    });
  }
  test(`colours, ${stored.name}: scales end at the same percentiles`, async () => {
    const { recording } = await open(stored);
    for (const [name, ends] of Object.entries(stored.scales)) {
      const found = spread(await recording.load(name)).map((raw: number) => recording.decode(name, raw));
      assert.equal(differs(found, ends), null);
    }
  });
}

test("the cases hold what they are meant to", () => {
  const answers = GOLDEN.recordings.flatMap(({ cases }) => cases.map(({ answer }) => answer));
  const differences = answers.flatMap(({ value, success, dwell }) => [value, success, dwell].filter((one) => one !== undefined));
  for (const note of [TOO_FEW, NOTHING]) assert.ok(differences.some((one) => one.note === note), note);
  assert.ok(differences.some(({ low, high }) => low !== null && high !== null && low > 0), "an interval that leaves out zero");
  assert.ok(answers.some(({ note }) => note !== undefined) && answers.some(({ note }) => note === undefined), "samples and whole recordings");
  assert.ok(answers.some(({ num_episodes }) => num_episodes > 100), "episodes that are drawn in groups");
});

/** The corners of a cell, without those that lie in one place: two codes with the same border cut it twice. */
function corners(cell: readonly Point[]): Point[] {
  return cell.filter(([x, y], at) => {
    const [lastX, lastY] = cell[(at + cell.length - 1) % cell.length];
    return Math.hypot(x - lastX, y - lastY) > 1e-9;
  });
}

test("cells are those of the figures", () => {
  for (const { codebook, limits, cells } of GOLDEN.cells) {
    const [left, right, bottom, top] = limits;
    const square = [[left, bottom], [right, bottom], [right, top], [left, top]].map((corner) => toUnit(limits, [corner[0], corner[1]]));
    const found = codeCells(codebook.map((code) => toUnit(limits, code)), square);
    const expected = cells.map((cell) => cell.map((point) => toUnit(limits, point)));
    assert.equal(differs(found.map(corners), expected.map(corners)), null);
  }
});
