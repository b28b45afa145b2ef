// What is looked at and how: the part of the page's state that an address can hold.
import { type ClustersQuery, PLANE_NAMES, type PlaneName, type Point, type PolygonQuery } from "./contract";
import { AS_PLAYED, firstDirection, type Order, ORDERS } from "./episode_order";
import { type Paths, readPaths, writePaths } from "./paths";
import { FIRST_SHEET, readSheet, type Sheet, writeSheet } from "./sheet";

export const PANELS = ["clusters", "lasso", "transitions", "show", "filter", "states", "episodes", "compare"] as const;
export type PanelName = (typeof PANELS)[number];
/** A usual colouring, or the column of a number that only this recording has. */
export type ColorName = string;
/** Limits of a scale of colours, where they are not the usual ones, and whether it is by the logarithm. */
export interface ScaleChoice {
  low: number | null;
  high: number | null;
  log: boolean;
}
export type Theme = "auto" | "light" | "dark";

/** Where the middle of a map lies in the unit square, and how many times the square is enlarged. */
export interface Zoom {
  x: number;
  y: number;
  scale: number;
}

export interface View {
  plane: PlaneName;
  color: ColorName;
  /** Scales that are not as usual, by the colouring. */
  scales: Readonly<Record<ColorName, ScaleChoice>>;
  /** Whether actions that do the same have one colour. */
  grouped: boolean;
  /** Whether much that lies over each other is drawn as its density; null: where there are many points. */
  density: boolean | null;
  /** Clusters shown alone, the others being a shadow; none: all. */
  solo: readonly number[];
  hide: readonly number[];
  /** Conditions that states must all fulfil, as in data/filter_expression. */
  filters: readonly string[];
  panel: PanelName;
  /** The cluster whose card is open. */
  card: number | null;
  /** Whether the matrix of transitions is of all steps, not of the moves out of a cluster. */
  steps: boolean;
  /** A named selection. */
  sel: string | null;
  /** A list of "show me", and which of its items. */
  list: { name: string; item: number | null } | null;
  theme: Theme;
  cells: boolean;
  names: boolean;
  /** Pictures of states on the map. */
  frames: boolean;
  /** Episodes whose paths are on the map. */
  paths: Paths;
  /** In which order episodes are listed, and whether the strip of each is as wide as there is room. */
  order: Order;
  stretched: boolean;
  /** The panel of states: which, in which order. */
  sheet: Sheet;
  /** The recording that the player and the panels are about. */
  rec: string;
}

export const FIRST_VIEW: View = {
  plane: "fdr", color: "cluster", scales: {}, grouped: true, density: null, solo: [], hide: [], filters: [], panel: "clusters", card: null, steps: false, sel: null, list: null, theme: "auto", cells: true,
  names: true, frames: false, paths: [], order: AS_PLAYED, stretched: false, sheet: FIRST_SHEET, rec: "a",
};

/** States that are set against the rest without having a name: those inside an outline, or those of a cluster. */
export type Unnamed = PolygonQuery | ClustersQuery;

/** What an address says beyond the view. */
export interface Place {
  view: Partial<View>;
  episode: number | null;
  step: number | null;
  zoom: Record<string, Zoom>;
  lasso: Unnamed | null;
}

export interface Written {
  view: View;
  episode: number | null;
  step: number | null;
  zoom: Record<string, Zoom | null>;
  lasso: Unnamed | null;
}

export function writeHash({ view, episode, step, zoom, lasso }: Written): string {
  const parts: string[] = ["v=1", `plane=${view.plane}`, `color=${encodeURIComponent(view.color)}`];
  for (const [color, { low, high, log }] of Object.entries(view.scales)) {
    parts.push(`scale=${[encodeURIComponent(color), low ?? "", high ?? "", ...(log ? ["log"] : [])].join(",")}`);
  }
  if (!view.grouped) parts.push("actions=all");
  if (view.density !== null) parts.push(`density=${view.density ? 1 : 0}`);
  if (view.solo.length) parts.push(`solo=${view.solo.join(",")}`);
  if (view.hide.length) parts.push(`hide=${view.hide.join(",")}`);
  for (const filter of view.filters) parts.push(`filter=${encodeURIComponent(filter)}`);
  if (!view.cells) parts.push("cells=0");
  if (!view.names) parts.push("names=0");
  if (view.frames) parts.push("frames=1");
  if (view.rec !== "a") parts.push(`rec=${encodeURIComponent(view.rec)}`);
  if (episode !== null) parts.push(`e=${episode}`, `s=${step ?? 0}`);
  for (const [id, at] of Object.entries(zoom)) {
    if (at) parts.push(`zoom${id === "a" ? "" : id}=${[at.x.toFixed(4), at.y.toFixed(4), at.scale.toFixed(3)].join(",")}`);
  }
  if (view.panel !== "clusters") parts.push(`panel=${view.panel}`);
  if (view.card !== null) parts.push(`card=${view.card}`);
  if (view.steps) parts.push("matrix=steps");
  if (view.sel) parts.push(`sel=${encodeURIComponent(view.sel)}`);
  if (lasso) parts.push(`lasso=${"clusters" in lasso ? `clusters:${lasso.clusters.join(",")}` : `${lasso.plane}:${lasso.polygon.flat().join(",")}`}`);
  if (view.paths.length) parts.push(`paths=${writePaths(view.paths)}`);
  if (view.order.by !== "played" || view.order.down) parts.push(`order=${view.order.down === firstDirection(view.order.by) ? "" : "-"}${view.order.by}`);
  if (view.stretched) parts.push("stretched=1");
  if (view.list) parts.push(`list=${encodeURIComponent(view.list.name)}${view.list.item === null ? "" : `:${view.list.item}`}`);
  parts.push(...writeSheet(view.sheet));
  if (view.theme !== "auto") parts.push(`theme=${view.theme}`);
  return `#${parts.join("&")}`;
}

/** Read an address; what it does not say, or says wrongly, is left as it is by default. */
export function readHash(hash: string): Place {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const view: Partial<View> = {
    solo: numbers(said.get("solo")), hide: numbers(said.get("hide")), filters: [...new Set(said.getAll("filter").filter((filter) => filter.trim()))], cells: said.get("cells") !== "0",
    names: said.get("names") !== "0", frames: said.get("frames") === "1", rec: said.get("rec") ?? "a", sel: said.get("sel"), list: readList(said.get("list")),
    theme: oneOf(said.get("theme"), ["auto", "light", "dark"] as const, "auto"),
    panel: oneOf(said.get("panel"), PANELS, "clusters"),
    card: whole(said.get("card")), steps: said.get("matrix") === "steps",
    color: said.get("color") ?? "cluster", scales: readScales(said.getAll("scale")), grouped: said.get("actions") !== "all",
    density: said.get("density") === null ? null : said.get("density") !== "0", sheet: readSheet(said),
    plane: oneOf(said.get("plane"), PLANE_NAMES, "fdr"),
    paths: readPaths(said.get("paths")), order: readOrder(said.get("order")), stretched: said.get("stretched") === "1",
  };
  const zoom: Record<string, Zoom> = {};
  for (const id of ["a", "b"]) {
    const found = said.get(id === "a" ? "zoom" : `zoom${id}`)?.split(",").map(Number);
    if (found?.length === 3 && found.every(Number.isFinite) && found[2] > 0) zoom[id] = { x: found[0], y: found[1], scale: found[2] };
  }
  return { view, episode: whole(said.get("e")), step: whole(said.get("s")), zoom, lasso: readLasso(said.get("lasso")) };
}

/** "value,1.5,8,log": limits may be empty. */
function readScales(said: readonly string[]): Record<ColorName, ScaleChoice> {
  return Object.fromEntries(said.flatMap((text) => {
    const [color, low = "", high = "", log] = text.split(",");
    const limit = (part: string): number | null => (part.trim() && Number.isFinite(Number(part)) ? Number(part) : null);
    const choice = { low: limit(low), high: limit(high), log: log === "log" };
    return color && (choice.low !== null || choice.high !== null || choice.log) ? [[color, choice]] : [];
  }));
}

function whole(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

function numbers(text: string | null): number[] {
  return [...new Set((text ?? "").split(",").filter((part) => /^\d+$/.test(part)).map(Number))];
}

function readList(text: string | null): View["list"] {
  const found = /^([\w-]+)(?::(\d+))?$/.exec(text ?? "");
  return found ? { name: found[1], item: whole(found[2] ?? null) } : null;
}

/** "-return": by return, the other way round than usual. */
function readOrder(text: string | null): Order {
  const by = ORDERS.find((name) => name === text?.replace(/^-/, ""));
  return by ? { by, down: firstDirection(by) !== text?.startsWith("-") } : AS_PLAYED;
}

function readLasso(text: string | null): Unnamed | null {
  const [kind, rest = ""] = (text ?? "").split(":");
  if (kind === "clusters") return numbers(rest).length ? { clusters: numbers(rest) } : null;
  const plane = PLANE_NAMES.find((name) => name === kind);
  const numbersSaid = rest.split(",").map(Number);
  if (!plane || numbersSaid.length < 6 || numbersSaid.length % 2 || !numbersSaid.every(Number.isFinite)) return null;
  const polygon = Array.from({ length: numbersSaid.length / 2 }, (_, at): Point => [numbersSaid[2 * at], numbersSaid[2 * at + 1]]);
  return { plane, polygon };
}

function oneOf<T extends string>(text: string | null, names: readonly T[], otherwise: T): T {
  return names.find((name) => name === text) ?? otherwise;
}
