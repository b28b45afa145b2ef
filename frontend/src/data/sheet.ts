// What the panel of states shows: which states, in which order, how large; and how an address says so.

export const WAYS = ["features", "plane", "pixels"] as const;
/** By what states are near to each other. */
export type Way = (typeof WAYS)[number];
export const AMONG = ["others", "each", "all"] as const;
/** In which episodes near states are looked for: all others, one state of each other, or also the state's own. */
export type Among = (typeof AMONG)[number];

/** Which states: those that pass the filter, and of them those in the lasso, of a cluster, of the list, with a tag, or near to one. */
export type SheetOf =
  | { kind: "all" | "lasso" | "list" | "tagged" }
  | { kind: "cluster"; cluster: number }
  | { kind: "tag"; tag: string }
  | { kind: "near"; row: number };

export interface Sheet {
  of: SheetOf;
  by: Way;
  among: Among;
  /** A column, or null for the order in which they were recorded or found. */
  sort: string | null;
  descending: boolean;
  group: "episode" | "level" | null;
  /** Side of a picture in pixels. */
  size: number;
  /** Whether the panel takes more than half of the page. */
  wide: boolean;
}

export const [LEAST_SIZE, MOST_SIZE] = [40, 240];
export const FIRST_SHEET: Sheet = {
  of: { kind: "all" }, by: "features", among: "others", sort: null, descending: false, group: null, size: 72, wide: false,
};

export function writeSheet(sheet: Sheet): string[] {
  const { of, by, among, sort, descending, group, size, wide } = sheet;
  const parts: string[] = [];
  if (of.kind !== "all") parts.push(`of=${writeOf(of)}`);
  if (of.kind === "near" && by !== FIRST_SHEET.by) parts.push(`by=${by}`);
  if (of.kind === "near" && among !== FIRST_SHEET.among) parts.push(`among=${among}`);
  if (sort !== null) parts.push(`sort=${descending ? "-" : "+"}${encodeURIComponent(sort)}`);
  if (group) parts.push(`group=${group}`);
  if (size !== FIRST_SHEET.size) parts.push(`size=${size}`);
  if (wide) parts.push("wide=1");
  return parts;
}

function writeOf(of: SheetOf): string {
  switch (of.kind) {
    case "cluster": return `cluster:${of.cluster}`;
    case "tag": return `tag:${encodeURIComponent(of.tag)}`;
    case "near": return `near:${of.row}`;
    default: return of.kind;
  }
}

export function readSheet(said: URLSearchParams): Sheet {
  const sort = /^([- +])(.+)$/s.exec(said.get("sort") ?? ""); // a plus that is not escaped is read as a space
  const group = said.get("group");
  const size = Number(said.get("size") ?? FIRST_SHEET.size);
  return {
    of: readOf(said.get("of") ?? ""),
    by: WAYS.find((way) => way === said.get("by")) ?? FIRST_SHEET.by,
    among: AMONG.find((among) => among === said.get("among")) ?? FIRST_SHEET.among,
    sort: sort ? sort[2] : null, descending: sort?.[1] === "-",
    group: group === "episode" || group === "level" ? group : null,
    size: Number.isFinite(size) ? Math.min(Math.max(Math.round(size), LEAST_SIZE), MOST_SIZE) : FIRST_SHEET.size,
    wide: said.get("wide") === "1",
  };
}

function readOf(text: string): SheetOf {
  const [, kind, rest] = /^([a-z]+)(?::(.*))?$/s.exec(text) ?? [];
  const number = /^\d{1,9}$/.test(rest ?? "") ? Number(rest) : null;
  if (kind === "lasso" || kind === "list" || kind === "tagged") return { kind };
  if (kind === "cluster" && number !== null) return { kind, cluster: number };
  if (kind === "near" && number !== null) return { kind, row: number };
  if (kind === "tag" && rest) return { kind, tag: rest };
  return { kind: "all" };
}
