// The episodes whose paths are shown on the map, each in a place of its own, so that it keeps its colour when others go.

export interface PathOf {
  rec: string;
  episode: number;
}

/** As many as colours and dashes tell apart. */
export const MOST_PATHS = 8;

/** A place that is empty holds null. */
export type Paths = readonly (PathOf | null)[];

export function placeOf(paths: Paths, rec: string, episode: number): number {
  return paths.findIndex((path) => path?.rec === rec && path.episode === episode);
}

export function numPaths(paths: Paths): number {
  return paths.filter((path) => path).length;
}

/** With an episode in the first empty place; the same if it is there or all places are taken. */
export function withPath(paths: Paths, rec: string, episode: number): Paths {
  if (placeOf(paths, rec, episode) >= 0) return paths;
  const free = paths.indexOf(null);
  const place = free < 0 ? paths.length : free;
  if (place >= MOST_PATHS) return paths;
  return [...paths.slice(0, place), { rec, episode }, ...paths.slice(place + 1)];
}

/** Those that are wanted, each in its place. */
export function keptPaths(paths: Paths, isWanted: (path: PathOf) => boolean): Paths {
  const left = paths.map((path) => (path && isWanted(path) ? path : null));
  const last = left.findLastIndex((path) => path);
  return left.slice(0, last + 1);
}

export function withoutPath(paths: Paths, rec: string, episode: number): Paths {
  return keptPaths(paths, (path) => path.rec !== rec || path.episode !== episode);
}

export function toggledPath(paths: Paths, rec: string, episode: number): Paths {
  return placeOf(paths, rec, episode) < 0 ? withPath(paths, rec, episode) : withoutPath(paths, rec, episode);
}

/** "12,,b3": episode 12 of the first recording, an empty place, episode 3 of the second. */
export function writePaths(paths: Paths): string {
  return paths.map((path) => (path ? `${path.rec === "a" ? "" : path.rec}${path.episode}` : "")).join(",");
}

export function readPaths(text: string | null): Paths {
  let found: Paths = [];
  for (const part of (text ?? "").split(",").slice(0, MOST_PATHS)) {
    const said = /^([a-z]?)(\d{1,9})$/.exec(part);
    const path = said && { rec: said[1] || "a", episode: Number(said[2]) };
    found = [...found, path && placeOf(found, path.rec, path.episode) < 0 ? path : null];
  }
  return found.slice(0, found.findLastIndex((path) => path) + 1);
}
