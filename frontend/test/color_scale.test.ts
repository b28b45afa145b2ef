// Scales of colours: limits that one sets, by numbers or their logarithm, in the address; actions that do the same are one.
import assert from "node:assert/strict";
import test from "node:test";
import type { Recording, Values } from "../src/data/recording";
import { FIRST_VIEW, readHash, type ScaleChoice, writeHash } from "../src/data/view";
import { limitText, numbersOf, placesOn, rangeOf, readLimit, TOP, UNKNOWN_PLACE } from "../src/map/color_scale";
import { colorize } from "../src/map/colors";
import { GOLDEN, open } from "./golden";

async function golden(...names: string[]): Promise<Recording> {
  const { recording } = await open(GOLDEN.recordings[0]);
  await Promise.all([recording.loadEpisodes(), ...names.map((name) => recording.load(name))]);
  return recording;
}

/** The colour of a point, as the map's shader finds it. */
function tone({ values, low, high }: { values: Values | null; low: number; high: number }, index: number): number {
  return Math.floor(Math.min(Math.max((((values as Values)[index] - low) * 255.999) / (high - low), 0), 255));
}

test("a limit that is set is where the scale ends, and the legend says so", async () => {
  const recording = await golden("value");
  const view = { ...FIRST_VIEW, color: "value", scales: { value: { low: 1, high: 3, log: false } } };
  const coloring = colorize(recording, view, false);
  assert.ok(coloring.legend.kind === "scale" && coloring.legend.low === "1" && coloring.legend.high === "3" && coloring.legend.range.isSet);
  const values = recording.get("value") as Values;
  values.forEach((raw, index) => {
    const share = Math.min(Math.max((recording.decode("value", raw) - 1) / 2, 0), 1);
    assert.ok(Math.abs(tone(coloring, index) / 255 - share) < 0.006);
  });
});

test("by the logarithm, tenfold is as far everywhere, and what is not positive is at the lower end", () => {
  const numbers = { codes: Uint16Array.from([0, 1, 2, 3, 4]), numCodes: 5, number: (code: number) => [-5, 1, 10, 100, NaN][code], isShare: false, usual: [-5, 100] as const, isLinear: false };
  const range = rangeOf(numbers, { low: 1, high: 100, log: true });
  assert.deepEqual([...placesOn(numbers, range)], [0, 0, TOP / 2, TOP, UNKNOWN_PLACE]);
  assert.equal(rangeOf(numbers, { low: null, high: null, log: true }).low, 100 / 1e4, "a lower limit of zero or less has no logarithm");
  assert.ok(!rangeOf({ ...numbers, usual: [-5, -1] }, { low: null, high: null, log: true }).log);
});

test("what a point's episode has can be a colour", async () => {
  const recording = await golden();
  const coloring = colorize(recording, { ...FIRST_VIEW, color: "return" }, false);
  const { episode_return: returns } = recording.episodes as NonNullable<Recording["episodes"]>;
  const [low, high] = [Math.min(...returns), Math.max(...returns)];
  for (let index = 0; index < recording.count; index += 7) {
    const share = (returns[recording.episodeOf(recording.rowOf(index))] - low) / (high - low);
    assert.ok(Math.abs(tone(coloring, index) / TOP - share) < 0.01);
  }
});

test("a colouring is made once", async () => {
  const recording = await golden("value");
  const view = { ...FIRST_VIEW, color: "value" };
  assert.equal(colorize(recording, view, true), colorize(recording, { ...view }, true));
  assert.ok(colorize(recording, view, true) !== colorize(recording, view, false));
});

test("actions of one group have one colour, and all have their own if one asks for them", async () => {
  const recording = await golden("action");
  const { meta } = recording;
  meta.action_groups = meta.action_names.map((name, at) => (at < 2 ? meta.action_names[0] : name));
  const items = (grouped: boolean): string[] => {
    const { legend } = colorize(recording, { ...FIRST_VIEW, color: "action", grouped }, false);
    assert.ok(legend.kind === "categories" && legend.grouped === grouped);
    return legend.items.map(({ label }) => label);
  };
  assert.ok(items(true).some((label) => label.includes("(2 actions)")));
  assert.ok(!items(false).some((label) => label.includes("actions)")));
  const actions = recording.get("action") as Values;
  const { values } = colorize(recording, { ...FIRST_VIEW, color: "action", grouped: true }, false);
  const of = (action: number): number => (values as Values)[actions.findIndex((one: number) => one === action)];
  if (actions.includes(0) && actions.includes(1)) assert.equal(of(0), of(1));
});

test("scales are in the address", () => {
  const scales: Record<string, ScaleChoice> = { value: { low: 1.5, high: null, log: false }, "own-0": { low: null, high: 8, log: true } };
  const place = { episode: null, step: null, zoom: {}, lasso: null };
  const hash = writeHash({ view: { ...FIRST_VIEW, scales, grouped: false, density: true }, ...place });
  const { view } = readHash(hash);
  assert.deepEqual([view.scales, view.grouped, view.density], [scales, false, true]);
  assert.deepEqual(readHash("#scale=value,,&scale=,1,2&scale=reward,x,y").view.scales, {});
  assert.deepEqual([readHash("#").view.grouped, readHash("#").view.density], [true, null]);
});

test("a map of an address that is enlarged by nothing or less is as it is at first", () => {
  assert.deepEqual(readHash("#zoom=0.5,0.5,0&zoomb=0.5,0.5,-3").zoom, {});
  assert.deepEqual(readHash("#zoom=0.5,0.25,2").zoom, { a: { x: 0.5, y: 0.25, scale: 2 } });
});

test("limits are read as they are written", () => {
  assert.deepEqual(["12", "−3.5", "30%", "start", "end", "x", ""].map((text) => readLimit(text, false)), [12, -3.5, 0.3, 0, 1, null, null]);
  assert.equal(readLimit("30", true), 0.3);
  assert.deepEqual([limitText("time", 0, true), limitText("time", 0.3, true), limitText("value", 1.23456, false)], ["start", "30%", "1.235"]);
  assert.equal(numbersOf({ column: () => undefined, get: () => undefined } as unknown as Recording, "value", "value"), null);
});
