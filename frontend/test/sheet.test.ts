// The contact sheet: its order against plain sorting, its places against a loop, its choice, and its address.
import assert from "node:assert/strict";
import test from "node:test";
import { carried, choose, chooseAll, chosenRows, nothing } from "../src/data/choice";
import type { FilterColumn } from "../src/data/filter_columns";
import { FIRST_SHEET, readSheet, type Sheet, writeSheet } from "../src/data/sheet";
import { barOf, inView, layoutOf, MOST_SCROLLED, moved, placeOf, scrolled, totalOf } from "../src/data/sheet_layout";
import { grouped, sorted, ungrouped } from "../src/data/sheet_order";
import { rangesOf } from "../src/data/tag_ranges";

/** Numbers that look random, always the same. */
function numbers(count: number, below: number): number[] {
  let seed = 7;
  return Array.from({ length: count }, () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below);
}

function column(codes: number[], numberOf: (code: number) => number): FilterColumn {
  const values = Uint16Array.from(codes);
  return {
    name: "x", source: "x", texts: null, few: null, isWhole: false, isShare: false, low: 0, high: 1, error: 0, numUnknown: 0,
    numCodes: () => Math.max(...codes, 0) + 1, codes: () => values, number: numberOf,
  };
}

test("points are sorted as a stable sort sorts them, and those without a number come last", () => {
  const codes = numbers(500, 40);
  const numberOf = (code: number): number => (code === 13 ? NaN : (code * 7) % 5);
  const points = Uint32Array.from(codes.keys()).filter((point) => point % 3);
  for (const descending of [false, true]) {
    const rank = (point: number): number => (Number.isNaN(numberOf(codes[point])) ? Infinity : (descending ? -1 : 1) * numberOf(codes[point]));
    const expected = [...points].sort((one, other) => (rank(one) === rank(other) ? one - other : rank(one) - rank(other)));
    assert.deepEqual([...sorted(points, column(codes, numberOf), descending)], expected);
  }
  assert.equal(sorted(new Uint32Array(0), column([], () => 0), false).length, 0);
});

test("texts are sorted in the order in which they are shown", () => {
  const texts = [{ code: 2, text: "b", also: [] }, { code: 0, text: "a", also: [] }];
  const found = sorted(Uint32Array.of(0, 1, 2, 3), { ...column([0, 1, 2, 0], () => 0), texts }, false);
  assert.deepEqual([...found], [2, 0, 3, 1], "what has no text is last");
});

test("groups stand in the order of their first states, and keep the order within", () => {
  const keys = numbers(200, 9);
  const points = sorted(Uint32Array.from(keys.keys()), column(numbers(200, 30), (code) => code), true);
  const found = grouped(points, keys, 9);
  const expected = [...new Set([...points].map((point) => keys[point]))];
  assert.deepEqual([...found.keys], expected);
  assert.deepEqual([...found.points], expected.flatMap((key) => [...points].filter((point) => keys[point] === key)));
  assert.deepEqual([...found.starts], expected.reduce((all, key) => [...all, all[all.length - 1] + keys.filter((one) => one === key).length], [0]));
});

const PLACE = { width: 70, height: 80, gap: 6, head: 30 };

test("what is in view is what a loop over all places finds", () => {
  const starts = Uint32Array.of(0, 3, 4, 17, 17 + 25, 60);
  const layout = layoutOf(starts, 5 * 76 - 6, PLACE);
  assert.equal(layout.columns, 5);
  const all = Array.from({ length: 60 }, (_, at) => placeOf(layout, at));
  assert.deepEqual([all[0].y, all[3].y, all[4].y, all[9].y], [30, 86 + 60, 86 * 2 + 90, 86 * 3 + 90]);
  for (let top = 0; top < totalOf(layout); top += 41) {
    const bottom = top + 200;
    const seen = inView(layout, top, bottom).flatMap(({ first, last }) => Array.from({ length: last - first }, (_, offset) => first + offset));
    assert.deepEqual(seen, [...all.keys()].filter((at) => all[at].y < bottom && all[at].y + layout.height > top), `from ${top}`);
  }
  assert.deepEqual(inView(layoutOf(Uint32Array.of(0, 0), 300, PLACE), 0, 100), [{ group: 0, top: 0, first: 0, last: 0 }]);
});

test("arrows lead to the places beside, above and below, over the edges of groups", () => {
  const layout = layoutOf(Uint32Array.of(0, 7, 9), 3 * 76 - 6, PLACE);
  assert.equal(moved(layout, 0, "ArrowRight", 300), 1);
  assert.equal(moved(layout, 0, "ArrowLeft", 300), 0);
  assert.equal(moved(layout, 1, "ArrowDown", 300), 4);
  assert.equal(moved(layout, 5, "ArrowDown", 300), 6, "a shorter line: its last");
  assert.equal(moved(layout, 6, "ArrowDown", 300), 7, "the next group");
  assert.equal(moved(layout, 8, "ArrowUp", 300), 6);
  assert.equal(moved(layout, 8, "ArrowDown", 300), 8);
  assert.equal(moved(layout, 4, "Home", 300), 0);
  assert.equal(moved(layout, 4, "End", 300), 8);
});

test("a sheet that is longer than a browser scrolls is reached everywhere, step by step and at once", () => {
  const [total, view] = [100_000_000, 800];
  let at = { top: 0, bar: 0 };
  at = scrolled(at, 120, total, view);
  assert.deepEqual(at, { top: 120, bar: 120 }, "a turn of the wheel is as long as it looks");
  at = scrolled(at, MOST_SCROLLED / 2, total, view);
  assert.ok(Math.abs(at.top - total / 2) < total * 0.001, "the middle of the bar is the middle of the sheet");
  at = scrolled(at, MOST_SCROLLED - view, total, view);
  assert.deepEqual(at, { top: total - view, bar: MOST_SCROLLED - view });
  for (let turn = 0; turn < 20; turn++) at = scrolled(at, at.bar - 120, total, view);
  assert.equal(at.top, total - view - 2400);
  // at the end of the bar, but not of the sheet: the bar is put back, so that one can go on
  const stuck = scrolled({ top: 5_000_000, bar: 100 }, 0, total, view);
  assert.deepEqual(stuck, { top: 4_999_900, bar: barOf(4_999_900, total, view) });
  assert.ok(stuck.bar > 1000);
  assert.deepEqual(scrolled({ top: 0, bar: 0 }, 900, 1000, 300), { top: 700, bar: 900 }, "a short sheet is scrolled as it is");
});

test("states are chosen as files are", () => {
  const rows = Uint32Array.of(50, 40, 30, 20, 10);
  let choice = choose(nothing(5), 1, "one");
  choice = choose(choice, 3, "extend");
  assert.deepEqual([...chosenRows(choice, rows)], [20, 30, 40]);
  choice = choose(choice, 2, "toggle");
  choice = choose(choice, 4, "toggle");
  assert.deepEqual([choice.count, ...chosenRows(choice, rows)], [3, 10, 20, 40]);
  choice = choose(choice, 0, "extend");
  assert.equal(choice.count, 5, "from the last one that was chosen by itself");
  const kept = carried(choose(choose(nothing(5), 1, "one"), 3, "toggle"), rows, Uint32Array.of(20, 7, 40));
  assert.deepEqual([...kept.marks, kept.count, kept.active], [1, 0, 1, 2, 0]);
  assert.equal(chooseAll(nothing(5)).count, 5);
  assert.equal(choose(nothing(0), 0, "one").count, 0);
  const many = Uint32Array.from({ length: 30_000 }, (_, at) => (at * 7919) % 30_011);
  assert.deepEqual([...chosenRows(chooseAll(nothing(30_000)), many)], [...many].sort((one_, other) => one_ - other));
  assert.deepEqual(rangesOf([1, 2, 3, 7, 9, 10]), [[1, 3], [7, 7], [9, 10]]);
  assert.deepEqual(rangesOf([]), []);
});

test("an address says what the sheet shows", () => {
  const sheets: Sheet[] = [
    FIRST_SHEET,
    { ...FIRST_SHEET, of: { kind: "near", row: 12 }, by: "pixels", among: "each", size: 120, wide: true },
    { ...FIRST_SHEET, of: { kind: "cluster", cluster: 0 }, sort: "my column, 50%", descending: true, group: "level" },
    { ...FIRST_SHEET, of: { kind: "tag", tag: "é & = # 🎈 +x" }, sort: "value" },
    ...(["lasso", "list", "tagged"] as const).map((kind): Sheet => ({ ...FIRST_SHEET, of: { kind }, group: "episode" })),
  ];
  for (const sheet of sheets) assert.deepEqual(readSheet(new URLSearchParams(writeSheet(sheet).join("&"))), sheet);
  const wrong = "of=near:x&by=smell&among=none&sort=value&group=x&size=1e9&wide=2";
  assert.deepEqual(readSheet(new URLSearchParams(wrong)), { ...FIRST_SHEET, size: 240 });
  assert.deepEqual(readSheet(new URLSearchParams("of=cluster:-1&size=abc")), FIRST_SHEET);
});

test("a million states are sorted and gathered", () => {
  const count = 1_000_000;
  const codes = new Uint16Array(count);
  for (let at = 0; at < count; at++) codes[at] = Math.imul(at, 2654435761) >>> 16;
  const wide: FilterColumn = { ...column([], (code) => code / 7), numCodes: () => 65536, codes: () => codes };
  const points = Uint32Array.from({ length: count }, (_, at) => at);
  const found = sorted(points, wide, false);
  for (let at = 1; at < count; at++) assert.ok(codes[found[at - 1]] <= codes[found[at]]);
  const episodes = points.map((point) => point >> 7);
  const groups = grouped(found, episodes, (count >> 7) + 1);
  assert.equal(groups.keys.length, (count >> 7) + 1);
  assert.equal(ungrouped(points).starts[1], count);
});
