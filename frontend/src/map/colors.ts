// Colours of the points: which column they tell of, and the legend that says how.
import type { Meta } from "../data/contract";
import type { Recording, Values } from "../data/recording";
import type { ColorName } from "../data/view";
import { percent, short } from "../ui/format";

/** Of the figures: even in lightness, and the same with every kind of colour blindness (cividis). */
const SCALE = [
  "#00224e", "#002e6a", "#1a386f", "#32436d", "#434e6c", "#535a6d", "#61656f", "#6f7073", "#7d7c78", "#8c8878", "#9b9476",
  "#aba072", "#bcae6c", "#cdbb63", "#dec958", "#f0d846", "#fee838",
];
/** Of the figures: for what is not a cluster, the most frequent first. */
const CATEGORIES = ["#332288", "#88CCEE", "#117733", "#DDCC77", "#CC6677", "#AA4499", "#44AA99"];
const OTHER = "#9a9a9a";
const FAILED = "#D55E00";
const SUCCEEDED = "#0072B2";

export const COLUMN_OF: Record<ColorName, string> = {
  cluster: "cluster", value: "value", action: "action", reward: "reward", time: "progress", uncertainty: "uncertainty",
  success: "success",
};
export const COLOR_TITLES: Record<ColorName, string> = {
  cluster: "cluster", value: "value", action: "action", reward: "reward", time: "time", uncertainty: "uncertainty",
  success: "success",
};

export type Legend =
  | { kind: "clusters" }
  | { kind: "categories"; items: { label: string; color: string }[] }
  | { kind: "scale"; stops: readonly string[]; low: string; high: string };

export interface Coloring {
  values: Values | null;
  /** [256 × RGBA] */
  colors: Uint8Array;
  low: number;
  high: number;
  legend: Legend;
}

export function isOffered(meta: Meta, color: ColorName): boolean {
  if (color === "success") return meta.success_known;
  return meta.columns.some((column) => column.name === COLUMN_OF[color]);
}

/** Colours by a column that has been fetched; without it, one colour for all. */
export function colorize(recording: Recording, color: ColorName, dark: boolean): Coloring {
  const values = recording.get(COLUMN_OF[color]) ?? null;
  if (!values) return byIndex(null, [dark ? "#8b929b" : "#7d8590"], { kind: "categories", items: [] });
  switch (color) {
    case "cluster":
      return byIndex(values, recording.meta.colors.map((_, k) => onMap(clusterColor(recording, k), dark)), { kind: "clusters" });
    case "action":
      return byAction(recording, values, dark);
    case "success":
      return bySuccess(values, dark);
    case "reward":
      return byReward(recording, values, dark);
    case "value":
      return byScale(values, ...spread(values), (raw) => short(recording.decode("value", raw)));
    case "time":
      return byScale(values, 0, 255, (raw) => (raw ? "end" : "start"));
    case "uncertainty":
      return byScale(values, 0, Math.max(spread(values)[1], 1), (raw) => percent(raw / 255, 0));
  }
}

/** Colour of a recording's cluster: its own, or that of the cluster that it matches. */
export function clusterColor(recording: Recording, cluster: number): string {
  return recording.meta.colors[recording.slots[cluster]] ?? OTHER;
}

function byIndex(values: Values | null, colors: readonly string[], legend: Legend): Coloring {
  const table = new Uint8Array(4 * 256);
  for (let index = 0; index < 256; index++) table.set([...rgb(colors[index] ?? OTHER), 255], 4 * index);
  return { values, colors: table, low: -0.5, high: 255.5, legend };
}

function byScale(values: Values, low: number, high: number, say: (raw: number) => string): Coloring {
  const table = new Uint8Array(4 * 256);
  for (let index = 0; index < 256; index++) table.set([...along(index / 255), 255], 4 * index);
  return { values, colors: table, low, high: high + 1e-6, legend: { kind: "scale", stops: SCALE, low: say(low), high: say(high) } };
}

function byAction(recording: Recording, values: Values, dark: boolean): Coloring {
  const counts = tally(values);
  const frequent = [...counts.keys()].filter((action) => counts[action]).sort((one, other) => counts[other] - counts[one]);
  const named = frequent.slice(0, CATEGORIES.length);
  const colors: string[] = Array<string>(256).fill(OTHER);
  named.forEach((action, place) => (colors[action] = onMap(CATEGORIES[place], dark)));
  const items = named.map((action) => ({
    label: `${recording.meta.action_signs[action]} ${recording.meta.action_names[action]} ${percent(counts[action] / values.length, 0)}`,
    color: colors[action],
  }));
  if (frequent.length > named.length) items.push({ label: "other", color: OTHER });
  return byIndex(values, colors, { kind: "categories", items });
}

function bySuccess(values: Values, dark: boolean): Coloring {
  const colors: string[] = Array<string>(256).fill(OTHER);
  [colors[0], colors[1]] = [onMap(FAILED, dark), onMap(SUCCEEDED, dark)];
  const counts = tally(values);
  const items = [
    { label: "episode succeeds", color: colors[1] },
    { label: "fails", color: colors[0] },
    ...(counts[255] ? [{ label: "not ended", color: OTHER }] : []),
  ];
  return byIndex(values, colors, { kind: "categories", items });
}

function byReward(recording: Recording, values: Values, dark: boolean): Coloring {
  const levels = recording.column("reward")?.levels;
  if (!levels || levels.length > CATEGORIES.length + 1) {
    return byScale(values, 0, levels ? levels.length - 1 : 65535, (raw) => short(recording.decode("reward", raw)));
  }
  const colors: string[] = Array<string>(256).fill(OTHER);
  let next = 0;
  levels.forEach((level, index) => {
    if (level !== 0) colors[index] = onMap(level > 0 ? ["#117733", "#44AA99", "#88CCEE", "#332288"][next++ % 4] : "#CC6677", dark);
  });
  const items = levels.map((level, index) => ({ label: short(level), color: colors[index] }));
  return byIndex(values, colors, { kind: "categories", items });
}

function tally(values: Values): number[] {
  const counts = Array<number>(256).fill(0);
  for (const value of values) counts[value]++;
  return counts;
}

/** The 1st and 99th percentile of whole numbers, so that a few outliers do not take all colours. */
function spread(values: Values): [number, number] {
  const counts = new Uint32Array(65536);
  for (const value of values) counts[value]++;
  let [below, low, high] = [0, -1, 65535];
  for (let value = 0; value < counts.length; value++) {
    below += counts[value];
    if (low < 0 && below > 0.01 * values.length) low = value;
    if (below >= 0.99 * values.length) {
      high = value;
      break;
    }
  }
  return [Math.max(low, 0), Math.max(high, low + 1)];
}

export function rgb(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1, 7), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function along(share: number): [number, number, number] {
  const at = share * (SCALE.length - 1);
  const low = Math.min(Math.floor(at), SCALE.length - 2);
  const [from, to] = [rgb(SCALE[low]), rgb(SCALE[low + 1])];
  return from.map((value, channel) => Math.round(value + (to[channel] - value) * (at - low))) as [number, number, number];
}

export function luminance(color: string): number {
  const [r, g, b] = rgb(color).map((value) => (value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever reads better on a colour. */
export function inkOn(color: string): string {
  return luminance(color) < 0.36 ? "#ffffff" : "#000000";
}

/** A colour as small points need it: on a dark map, the darkest ones lighter, so that they do not drown. */
function onMap(color: string, dark: boolean): string {
  const least = 0.13;
  if (!dark || luminance(color) >= least) return color;
  for (let amount = 0.1; amount < 1; amount += 0.1) {
    const mixed = `#${rgb(color).map((value) => Math.round(value + (255 - value) * amount).toString(16).padStart(2, "0")).join("")}`;
    if (luminance(mixed) >= least) return mixed;
  }
  return color;
}
