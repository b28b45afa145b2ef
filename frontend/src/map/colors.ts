// Colours of the points: which column they tell of, and the legend that says how.
import type { Meta } from "../data/contract";
import type { Recording, Values } from "../data/recording";
import { type Combinations, TAG } from "../data/tags";
import type { ColorName, View } from "../data/view";
import { actionLabel, percent, short } from "../ui/format";
import {
  episodeColors, episodeColorTitle, isOfEpisode, limitText, type Numbers, numbersOf, placesOn, rangeOf, type ScaleRange, TOP, UNKNOWN_PLACE,
} from "./color_scale";
import { CATEGORIES, FAILED, GAINED, INK_ON_OTHER, LOST, OTHER, SCALE, SUCCEEDED } from "./palette";

const COLORS = ["cluster", "value", "action", "reward", "time", "uncertainty", "success"];
const MORE = [TAG, "return_to_go", "step"];

/** The column that a colouring tells of. */
export function columnOf(color: ColorName): string {
  return color === "time" ? "progress" : color;
}

export function colorTitle(recordings: readonly Recording[], color: ColorName): string {
  const own = recordings.map((recording) => recording.column(color)?.title).find(Boolean);
  return own ?? (isOfEpisode(color) ? episodeColorTitle(color) : color === "return_to_go" ? "return to go" : color);
}

/** Colourings that recordings offer: the usual ones, and by what only they have. */
export function colorsOf(recordings: readonly Recording[]): ColorName[] {
  return [...usualColors(recordings), ...furtherColors(recordings)];
}

export function usualColors(recordings: readonly Recording[]): ColorName[] {
  return COLORS.filter((color) => recordings.some(({ meta }) => isOffered(meta, color)));
}

/** Colourings by what only these recordings have, and by what is looked at less often. */
export function furtherColors(recordings: readonly Recording[]): ColorName[] {
  const own = recordings.flatMap(({ meta }) => meta.columns.filter((column) => column.title !== undefined).map((column) => column.name));
  const more = MORE.filter((color) => recordings.some((recording) => recording.column(color)));
  return [...new Set(own), ...more, ...episodeColors(recordings)];
}

/** Fetch what a colouring needs; resolves to whether anything had to be fetched. */
export async function loadColor(recording: Recording, color: ColorName): Promise<boolean> {
  const source = columnOf(color);
  if (recording.column(source)) {
    if (recording.get(source)) return false;
    await recording.load(source);
    return true;
  }
  if (!isOfEpisode(color)) return false;
  const isThere = recording.episodes !== null && (recording.count === recording.meta.num_states || recording.get("row"));
  if (!isThere) await Promise.all([recording.loadEpisodes(), recording.count < recording.meta.num_states && recording.load("row")]);
  return !isThere;
}

/** What a recording is coloured by where nothing else is asked for. */
export function firstColor(recording: Recording): ColorName {
  return colorsOf([recording])[0] ?? "time";
}

export type Legend =
  | { kind: "clusters" }
  | { kind: "categories"; items: { label: string; color: string }[]; /** Whether categories that belong together are one; absent: none do. */ grouped?: boolean }
  | { kind: "scale"; stops: readonly string[]; low: string; high: string; range: ScaleRange };

/** Alphas of the table of colours, which say which points are drawn over others. */
const [ON_TOP, NOT_ON_TOP] = [255, 128];

export interface Coloring {
  values: Values | null;
  /** Whether the values were made for this colouring, and are no column. */
  isMade: boolean;
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

type Coloured = Pick<View, "color" | "scales" | "grouped">;

/** The last colourings of each recording, with what they depend on. */
const kept = new WeakMap<Recording, { key: string; column: unknown; slots: unknown; tags: unknown; coloring: Coloring }[]>();
const MOST_KEPT = 2;

/** Colours by a column that has been fetched; without it, one colour for all. */
export function colorize(recording: Recording, view: Coloured, dark: boolean): Coloring {
  const { color, scales, grouped } = view;
  const key = [color, dark, JSON.stringify(scales[color] ?? null), grouped].join(" ");
  const column = recording.get(columnOf(color)) ?? (isOfEpisode(color) ? recording.episodes : null);
  const tags = recording.now<Combinations>("tags");
  const before = kept.get(recording) ?? [];
  const known = before.find((one) => one.key === key && one.column === column && one.slots === recording.slots && one.tags === tags);
  if (known) return known.coloring;
  const coloring = makeColoring(recording, view, dark);
  kept.set(recording, [{ key, column, slots: recording.slots, tags, coloring }, ...before.slice(0, MOST_KEPT - 1)]);
  return coloring;
}

function makeColoring(recording: Recording, { color, scales, grouped }: Coloured, dark: boolean): Coloring {
  const values = recording.get(columnOf(color)) ?? null;
  const { meta } = recording;
  const nothing = (): Coloring => byIndex(null, [dark ? "#8b929b" : "#7d8590"], { kind: "categories", items: [] });
  if (values) {
    if (color === "cluster") return byIndex(values, meta.colors.map((_, k) => onMap(clusterColor(recording, k), dark)), { kind: "clusters" });
    if (color === "action") return byAction(meta, values, grouped, dark);
    if (color === "success") return bySuccess(values, dark);
    if (color === TAG) return byTag(values, recording.now<Combinations>("tags") ?? [[]], dark);
    const { levels, categories: texts, title } = recording.column(columnOf(color)) ?? {};
    if (color === "reward" && levels && levels.length <= CATEGORIES.length + 1) return byReward(levels, values, dark);
    if (texts) return byCategory(values, (index) => texts[index], dark);
    if (title !== undefined && levels && levels.length <= CATEGORIES.length) return byCategory(values, (index) => short(levels[index]), dark);
  }
  const numbers = numbersOf(recording, color, columnOf(color));
  return numbers ? byNumber(recording, color, numbers, scales[color], dark) : nothing();
}

function byNumber(recording: Recording, color: ColorName, numbers: Numbers, choice: View["scales"][string] | undefined, dark: boolean): Coloring {
  const range = rangeOf(numbers, choice);
  const say = (value: number): string => limitText(color, value, range.isShare);
  const stops = dark ? DARK_SCALE : SCALE;
  const legend: Legend = { kind: "scale", stops, low: say(range.low), high: say(range.high), range };
  const table = new Uint8Array(4 * 256);
  const column = recording.column(columnOf(color));
  if (numbers.isLinear && !range.log && column) { // codes are coloured as they are
    for (let index = 0; index < 256; index++) table.set([...along(stops, index / 255), NOT_ON_TOP], 4 * index);
    const [first, second] = [numbers.number(0), numbers.number(1)];
    const code = (value: number): number => (value - first) / (second - first || 1);
    return { values: numbers.codes, isMade: false, colors: table, low: code(range.low), high: code(range.high) + 1e-6, legend };
  }
  for (let index = 0; index <= TOP; index++) table.set([...along(stops, index / TOP), NOT_ON_TOP], 4 * index);
  table.set([...rgb(other(dark)), NOT_ON_TOP], 4 * UNKNOWN_PLACE);
  return { values: placesOn(numbers, range), isMade: true, colors: table, low: -0.5, high: 255.5, legend };
}

/** Actions, those that do the same as one, if the environment says which do. */
function byAction(meta: Meta, values: Values, grouped: boolean, dark: boolean): Coloring {
  const groups = meta.action_groups;
  if (!groups.length) return byCategory(values, (action) => actionLabel(meta, action), dark);
  const names = [...new Set(groups)];
  const found = grouped ? byCategory(values, (group) => groupLabel(meta, names[group]), dark, groups.map((name) => names.indexOf(name))) : byCategory(values, (action) => actionLabel(meta, action), dark);
  return found.legend.kind === "categories" ? { ...found, legend: { ...found.legend, grouped } } : found;
}

/** A group by its action: that of its name, and how many others do the same. */
function groupLabel(meta: Meta, name: string): string {
  const first = meta.action_names.indexOf(name);
  const number = meta.action_groups.filter((group) => group === name).length;
  return `${first < 0 ? name : actionLabel(meta, first)}${number > 1 ? ` (${number} actions)` : ""}`;
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
  return { values, isMade: false, colors: table, low: -0.5, high: 255.5, legend };
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

/** The most frequent of categories, each in its colour; `of` says which category a value is of, if not itself. */
function byCategory(values: Values, label: (category: number) => string, dark: boolean, of?: readonly number[]): Coloring {
  const ofValues = new Map<number, number>();
  for (const value of values) ofValues.set(value, (ofValues.get(value) ?? 0) + 1);
  const counts = new Map<number, number>();
  for (const [value, number] of ofValues) counts.set(of?.[value] ?? value, (counts.get(of?.[value] ?? value) ?? 0) + number);
  const number = (category: number): number => counts.get(category) ?? 0;
  const frequent = [...counts.keys()].sort((one, other) => number(other) - number(one) || one - other);
  const named = frequent.slice(0, CATEGORIES.length);
  // there may be more categories than the table has colours: points say which of the frequent ones theirs is
  const place = new Map(named.map((category, at) => [category, at]));
  const places = Uint8Array.from(values, (value) => place.get(of?.[value] ?? value) ?? 255);
  const colors = named.map((_, at) => onMap(CATEGORIES[at], dark));
  const items = named.map((category, at) => ({
    label: `${label(category)} ${percent(number(category) / values.length, 0)}`,
    color: colors[at],
  }));
  if (frequent.length > named.length) items.push({ label: "other", color: other(dark) });
  const made = byIndex(places, [...colors, ...Array<string>(256 - colors.length).fill(other(dark))], { kind: "categories", items });
  return raise({ ...made, isMade: true }, tally(places).with(255, places.length));
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
  return raise({ ...byIndex(places, colors, { kind: "categories", items }), isMade: true }, shown);
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

function byReward(levels: readonly number[], values: Values, dark: boolean): Coloring {
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
