// Colours of the points: which column they tell of, and the legend that says how.
import { HIGHEST, type Meta } from "../data/contract";
import type { Recording, Values } from "../data/recording";
import type { ColorName } from "../data/view";
import { quantile } from "../data/effect_sizes";
import { type Combinations, TAG } from "../data/tags";
import { actionLabel, percent, short } from "../ui/format";
import { CATEGORIES, FAILED, GAINED, INK_ON_OTHER, LOST, OTHER, SCALE, SUCCEEDED } from "./palette";

const COLORS = ["cluster", "value", "action", "reward", "time", "uncertainty", "success", TAG];

/** The column that a colouring tells of. */
export function columnOf(color: ColorName): string {
  return color === "time" ? "progress" : color;
}

export function colorTitle(recordings: readonly Recording[], color: ColorName): string {
  return recordings.map((recording) => recording.column(color)?.title).find(Boolean) ?? color;
}

/** Colourings that recordings offer: the usual ones, and by what only they have. */
export function colorsOf(recordings: readonly Recording[]): ColorName[] {
  const own = recordings.flatMap(({ meta }) => meta.columns.filter((column) => column.title !== undefined).map((column) => column.name));
  return [...COLORS.filter((color) => recordings.some(({ meta }) => isOffered(meta, color))), ...new Set(own)];
}

/** What a recording is coloured by where nothing else is asked for. */
export function firstColor(recording: Recording): ColorName {
  return colorsOf([recording])[0] ?? "time";
}

export type Legend =
  | { kind: "clusters" }
  | { kind: "categories"; items: { label: string; color: string }[] }
  | { kind: "scale"; stops: readonly string[]; low: string; high: string };

/** Alphas of the table of colours, which say which points are drawn over others. */
const [ON_TOP, NOT_ON_TOP] = [255, 128];

export interface Coloring {
  values: Values | null;
  /** [256 × RGBA]; A says whether points of the colour lie over the others. */
  colors: Uint8Array;
  low: number;
  high: number;
  legend: Legend;
}

function isOffered(meta: Meta, color: ColorName): boolean {
  if (color === "success") return meta.success_known;
  return meta.columns.some((column) => column.name === columnOf(color));
}

/** Colours by a column that has been fetched; without it, one colour for all. */
export function colorize(recording: Recording, color: ColorName, dark: boolean): Coloring {
  const values = recording.get(columnOf(color)) ?? null;
  if (!values) return byIndex(null, [dark ? "#8b929b" : "#7d8590"], { kind: "categories", items: [] });
  switch (color) {
    case "cluster":
      return byIndex(values, recording.meta.colors.map((_, k) => onMap(clusterColor(recording, k), dark)), { kind: "clusters" });
    case "action":
      return byCategory(values, (action) => actionLabel(recording.meta, action), dark);
    case TAG:
      return byTag(values, recording.now<Combinations>("tags") ?? [[]], dark);
    case "success":
      return bySuccess(values, dark);
    case "reward":
      return byReward(recording, values, dark);
    case "value":
      return byScale(values, ...spread(values), dark, (raw) => short(recording.decode("value", raw)));
    case "time":
      return byScale(values, 0, 255, dark, (raw) => (raw ? "end" : "start"));
    case "uncertainty":
      return byScale(values, 0, Math.max(spread(values)[1], 1), dark, (raw) => percent(raw / 255, 0));
    default:
      const texts = recording.column(color)?.categories;
      if (texts) return byCategory(values, (index) => texts[index], dark);
      return byScale(values, ...spread(values), dark, (raw) => short(recording.decode(color, raw)));
  }
}

/** Colour of a recording's cluster: its own, or that of the cluster that it matches. */
export function clusterColor(recording: Recording, cluster: number): string {
  return recording.meta.colors[recording.slots[cluster]] ?? OTHER;
}

/** Black or white, whichever reads on the colour of a recording's cluster. */
export function clusterInk(recording: Recording, cluster: number): string {
  return recording.meta.inks[recording.slots[cluster]] ?? INK_ON_OTHER;
}

function byIndex(values: Values | null, colors: readonly string[], legend: Legend): Coloring {
  const table = new Uint8Array(4 * 256);
  for (let index = 0; index < 256; index++) table.set([...rgb(colors[index] ?? OTHER), NOT_ON_TOP], 4 * index);
  return { values, colors: table, low: -0.5, high: 255.5, legend };
}

function byScale(values: Values, low: number, high: number, dark: boolean, say: (raw: number) => string): Coloring {
  const stops = dark ? DARK_SCALE : SCALE;
  const table = new Uint8Array(4 * 256);
  for (let index = 0; index < 256; index++) table.set([...along(stops, index / 255), NOT_ON_TOP], 4 * index);
  return { values, colors: table, low, high: high + 1e-6, legend: { kind: "scale", stops, low: say(low), high: say(high) } };
}

/** Categories of fewer points than this share are drawn over the others, under which one would not find them. */
const RARE = 0.15;

/** Put rare ones on top: the alpha of a colour in the table says so. */
function raise(coloring: Coloring, counts: ArrayLike<number>): Coloring {
  const total = coloring.values?.length ?? 0;
  for (let index = 0; index < 256; index++) {
    const isRare = (counts[index] ?? 0) < RARE * total;
    coloring.colors[4 * index + 3] = isRare ? ON_TOP : NOT_ON_TOP;
  }
  return coloring;
}

/** The most frequent of categories, each in its colour. */
function byCategory(values: Values, label: (category: number) => string, dark: boolean): Coloring {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const number = (category: number): number => counts.get(category) ?? 0;
  const frequent = [...counts.keys()].sort((one, other) => number(other) - number(one) || one - other);
  const named = frequent.slice(0, CATEGORIES.length);
  // there may be more categories than the table has colours: points say which of the frequent ones theirs is
  const place = new Map(named.map((category, at) => [category, at]));
  const places = Uint8Array.from(values, (category) => place.get(category) ?? 255);
  const colors = named.map((_, at) => onMap(CATEGORIES[at], dark));
  const items = named.map((category, at) => ({
    label: `${label(category)} ${percent(number(category) / values.length, 0)}`,
    color: colors[at],
  }));
  if (frequent.length > named.length) items.push({ label: "other", color: other(dark) });
  return raise(byIndex(places, [...colors, ...Array<string>(256 - colors.length).fill(other(dark))], { kind: "categories", items }), tally(places).with(255, places.length));
}

/** Tags, and combinations of them, each in its colour; states without one are grey. */
function byTag(values: Values, combinations: Combinations, dark: boolean): Coloring {
  const counts = new Uint32Array(combinations.length);
  for (const value of values) counts[value]++;
  const named = [...counts.keys()].slice(1).filter((code) => counts[code] > 0).sort((one, other) => counts[other] - counts[one] || one - other).slice(0, CATEGORIES.length);
  const place = Uint8Array.from(combinations, (_, code) => (code === 0 ? 255 : named.indexOf(code) < 0 ? 254 : named.indexOf(code)));
  const places = new Uint8Array(values.length);
  for (let point = 0; point < places.length; point++) places[point] = place[values[point]];
  const colors = Array<string>(256).fill(other(dark));
  const items = named.map((code, at) => {
    colors[at] = onMap(CATEGORIES[at], dark, LEAST_OF_EVENTS_IN_DARK);
    return { label: `${combinations[code].join(" + ")} ${percent(counts[code] / values.length, 0)}`, color: colors[at] };
  });
  items.push({ label: named.length === CATEGORIES.length ? "other" : "no tag", color: other(dark) });
  const shown = tally(places);
  [shown[254], shown[255]] = [0, values.length];
  return raise(byIndex(places, colors, { kind: "categories", items }), shown);
}

function bySuccess(values: Values, dark: boolean): Coloring {
  const colors: string[] = Array<string>(256).fill(other(dark));
  [colors[0], colors[1]] = [onMap(FAILED, dark), onMap(SUCCEEDED, dark)];
  const counts = tally(values);
  const items = [
    { label: "episode succeeds", color: colors[1] },
    { label: "fails", color: colors[0] },
    ...(counts[255] ? [{ label: "not ended", color: other(dark) }] : []),
  ];
  return raise(byIndex(values, colors, { kind: "categories", items }), counts);
}

function byReward(recording: Recording, values: Values, dark: boolean): Coloring {
  const levels = recording.column("reward")?.levels;
  if (!levels || levels.length > CATEGORIES.length + 1) {
    return byScale(values, 0, levels ? levels.length - 1 : 65535, dark, (raw) => short(recording.decode("reward", raw)));
  }
  const colors: string[] = Array<string>(256).fill(other(dark));
  let next = 0;
  levels.forEach((level, index) => {
    if (level !== 0) colors[index] = onMap(level > 0 ? GAINED[next++ % GAINED.length] : LOST, dark, LEAST_OF_EVENTS_IN_DARK);
  });
  const items = levels.map((level, index) => ({ label: short(level), color: colors[index] }));
  return raise(byIndex(values, colors, { kind: "categories", items }), tally(values));
}

function tally(values: Values): number[] {
  const counts = Array<number>(256).fill(0);
  for (const value of values) counts[value]++;
  return counts;
}

/** The 1st and 99th percentile, as in the figures, so that a few outliers do not take all colours. */
export function spread(values: Values): [number, number] {
  const counts = new Uint32Array(HIGHEST + 1);
  for (const value of values) counts[value]++;
  const at = (rank: number): number => {
    let below = 0;
    return counts.findIndex((count) => (below += count) > rank);
  };
  const [low, high] = [0.01, 0.99].map((share) => quantile(values.length, at, share));
  return [low, high > low ? high : low + 1];
}

export function rgb(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1, 7), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function along(stops: readonly string[], share: number): [number, number, number] {
  const at = share * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const [from, to] = [rgb(stops[low]), rgb(stops[low + 1])];
  return from.map((value, channel) => Math.round(value + (to[channel] - value) * (at - low))) as [number, number, number];
}

/** WCAG's relative luminance: 0 for black, 1 for white. */
function luminance(color: string): number {
  const [r, g, b] = rgb(color).map((value) => (value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function mixed(color: string, other: string, amount: number): string {
  const to = rgb(other);
  return `#${rgb(color).map((value, channel) => Math.round(value + (to[channel] - value) * amount).toString(16).padStart(2, "0")).join("")}`;
}

/** The least luminance that small points need on a dark map: three times the map's, in WCAG's sense. */
const LEAST_IN_DARK = 0.13;
/** Events, which are rare, stand out from the grey of all else. */
const LEAST_OF_EVENTS_IN_DARK = 0.35;
const OTHER_IN_DARK = "#6a7078";
const LIGHT_BLUE = "#9cc3ff";

/** The scale as a dark map needs it: its dark end lighter, and each stop still lighter than the one before it. */
const DARK_SCALE: readonly string[] = SCALE.map((color) => {
  const [first, last] = [luminance(SCALE[0]), luminance(SCALE[SCALE.length - 1])];
  const least = LEAST_IN_DARK + ((last - LEAST_IN_DARK) * (luminance(color) - first)) / (last - first);
  for (let amount = 0; amount < 1; amount += 0.01) if (luminance(mixed(color, LIGHT_BLUE, amount)) >= least) return mixed(color, LIGHT_BLUE, amount);
  return color;
});

/** A colour as small points need it: on a dark map, the darkest ones lighter, so that they do not drown. */
function onMap(color: string, dark: boolean, least = LEAST_IN_DARK): string {
  if (!dark || luminance(color) >= least) return color;
  for (let amount = 0.1; amount < 1; amount += 0.1) {
    const lighter = mixed(color, "#ffffff", amount);
    if (luminance(lighter) >= least) return lighter;
  }
  return color;
}

/** The colour of what has none of its own: on a dark map a darker grey, under which nothing drowns. */
function other(dark: boolean): string {
  return dark ? OTHER_IN_DARK : OTHER;
}
