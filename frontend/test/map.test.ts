// How the map draws: colours that are seen in the dark, rare ones on top, labels apart, outlines without needless corners.
import assert from "node:assert/strict";
import test from "node:test";
import { FIRST_VIEW } from "../src/data/view";
import type { Point } from "../src/data/contract";
import { colorize, rgb } from "../src/map/colors";
import { apart, BADGE, namePlaces } from "../src/map/label_places";
import { rounded, simplified } from "../src/map/outline";
import { GOLDEN, open } from "./golden";

function luminance([r, g, b]: readonly number[]): number {
  const [x, y, z] = [r, g, b].map((value) => (value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

/** WCAG's contrast of a colour with the dark theme's map. */
function onDark(color: readonly number[]): number {
  return (luminance(color) + 0.05) / (luminance(rgb("#131619")) + 0.05);
}

test("in the dark every colour of a scale is seen, and more is lighter", async () => {
  const { recording } = await open(GOLDEN.recordings[0]);
  await recording.load("value");
  const { colors, legend } = colorize(recording, { ...FIRST_VIEW, color: "value" }, true);
  const tones = Array.from({ length: 256 }, (_, at) => [...colors.slice(4 * at, 4 * at + 3)]);
  assert.ok(tones.every((tone) => onDark(tone) >= 3), "three times the map's luminance");
  assert.ok(tones.every((tone, at) => at === 0 || luminance(tone) >= luminance(tones[at - 1]) - 0.002));
  assert.ok(legend.kind === "scale" && legend.stops.every((stop) => onDark(rgb(stop)) >= 3), "the legend too");
  const light = colorize(recording, { ...FIRST_VIEW, color: "value" }, false);
  assert.deepEqual([...light.colors.slice(0, 3)], [...rgb("#00224e")]);
});

test("rare rewards lie over common ones", async () => {
  const { recording } = await open(GOLDEN.recordings[0]);
  const values = await recording.load("reward");
  const levels = recording.column("reward")?.levels as number[];
  const { colors } = colorize(recording, { ...FIRST_VIEW, color: "reward" }, false);
  const height = (level: number): number => colors[4 * levels.indexOf(level) + 3];
  const share = (level: number): number => values.filter((value) => value === levels.indexOf(level)).length / values.length;
  assert.ok(share(-1.5) < 0.15 && share(0) > 0.5, "as in a game");
  assert.ok(height(-1.5) > height(0));
  const dark = colorize(recording, { ...FIRST_VIEW, color: "reward" }, true).colors;
  const seen = (level: number): number => onDark([...dark.slice(4 * levels.indexOf(level), 4 * levels.indexOf(level) + 3)]);
  assert.ok(seen(0) >= 3 && seen(-1.5) > 2 * seen(0), "and stand out in the dark");
});

test("badges move apart, names find room or are left out", () => {
  const badges = apart([[50, 50], [54, 50], [50, 50], null, [300, 50]]);
  badges.forEach((one, at) => badges.slice(0, at).forEach((other) => {
    if (one && other) assert.ok(Math.hypot(one[0] - other[0], one[1] - other[1]) >= BADGE - 0.5);
  }));
  assert.deepEqual(badges[4], [300, 50]);
  const names = namePlaces([[200, 50], [260, 50], [390, 200], [200, 90]], [60, 60, 60, 0], [400, 300]);
  assert.ok(names[0] !== null && names[0][0] < 0, "to the left: another badge is on its right");
  assert.ok(names[1] !== null && names[1][0] > 0, "to the right");
  assert.ok(names[2] !== null && names[2][0] < 0, "not over the edge");
  assert.equal(names[3], null);
  const crowd = Array.from({ length: 30 }, (_, at): Point => [100 + 25 * (at % 6), 100 + 25 * Math.floor(at / 6)]);
  const placed = namePlaces(crowd, crowd.map(() => 80), [400, 400]);
  assert.ok(placed.some((place) => place === null) && placed.some((place) => place !== null));
});

test("an outline keeps its form with fewer corners and digits", () => {
  const circle = Array.from({ length: 400 }, (_, at): Point => [Math.cos((at / 400) * 6.28), Math.sin((at / 400) * 6.28)]);
  const found = simplified(circle, 0.01);
  assert.ok(found.length < 40 && found.length > 8);
  for (const [x, y] of found) assert.ok(Math.abs(Math.hypot(x, y) - 1) < 1e-9, "corners are corners of before");
  assert.deepEqual(rounded([[0.123456789, -2.000001]], [-3, 3, -3, 3]), [[0.12346, -2]]);
  assert.deepEqual(simplified([[0, 0], [1, 0], [1, 0]], 5), [[0, 0], [1, 0], [1, 0]], "three corners stay three");
});
