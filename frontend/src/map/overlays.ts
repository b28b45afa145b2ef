// What the overlays of a map show: which clusters are visible, the path of an episode, arrows between clusters,
// and what pictures on the map need to know of it.
import type { App } from "../app";
import type { EpisodeData, PlaneName, Point, Transitions } from "../data/contract";
import { filteredMoves } from "../data/filtered_moves";
import { type Recording, toUnit } from "../data/recording";
import type { View } from "../data/view";
import type { Camera } from "./camera";
import { clusterColor } from "./colors";
import { densest } from "./density";
import { type Arrow, makeArrow } from "./drawing";
import type { ShownMap } from "./shown";
import type { Shelf } from "./thumbnails";

/** Of each own cluster [256]: hidden (0), a shadow (1) or shown (2). */
export function visibleStates(recording: Recording, view: Pick<View, "solo" | "hide">): Uint8Array {
  const states = new Uint8Array(256).fill(2);
  recording.slots.forEach((slot, cluster) => {
    if (view.hide.includes(slot)) states[cluster] = 0;
    else if (view.solo.length && !view.solo.includes(slot)) states[cluster] = 1;
  });
  return states;
}

/** Where the states of an episode lie in the unit square, on the way from one plane to another. */
export function pathOf(
  recording: Recording,
  data: EpisodeData,
  /** Whether the episode is this recording's own, or the same states of another. */
  isOwn: boolean,
  planes: { from: PlaneName; to: PlaneName },
  moved: number,
): (Point | null)[] {
  const start = moved < 1 ? pathIn(recording, data, isOwn, planes.from) : null;
  const end = pathIn(recording, data, isOwn, planes.to);
  if (!start) return end;
  return end.map((to, at) => {
    const from = start[at] ?? to;
    return to && from ? [from[0] + (to[0] - from[0]) * moved, from[1] + (to[1] - from[1]) * moved] : from;
  });
}

function pathIn(recording: Recording, data: EpisodeData, isOwn: boolean, plane: PlaneName): (Point | null)[] {
  const limits = recording.plane(plane)?.limits;
  const known = isOwn ? data.planes[plane] : undefined;
  if (known && limits) return known.map((point) => (point ? toUnit(limits, point) : null));
  return data.step.map((_, offset) => {
    const index = recording.indexOf(data.first_row + offset);
    return index < 0 ? null : recording.unit(plane, index);
  });
}

const LEAST_SHARE = 0.04;
const LEAST_COUNT = 2;

/** Arrows for the moves that make up a good part of those that leave a cluster, the frequent ones wide. */
export function arrowsBetween(app: App, recording: Recording, places: readonly (Point | null)[], camera: Camera): Arrow[] {
  const ofAll = recording.now<Transitions>("transitions");
  if (!ofAll) return [];
  const mask = app.filtering.mask(recording.id);
  const transitions = (mask && filteredMoves(recording, ofAll, mask)) || ofAll;
  const states = visibleStates(recording, app.view.get());
  const most = Math.max(...transitions.counts.flatMap((row, i) => row.filter((_, j) => i !== j)), 1);
  const lit = app.look.get().arrow;
  const arrows: Arrow[] = [];
  transitions.counts.forEach((row, i) => {
    row.forEach((count, j) => {
      const [start, end] = [places[i], places[j]];
      const isLit = lit?.[0] === i && lit[1] === j;
      const often = count >= LEAST_COUNT && (transitions.leaving[i][j] ?? 0) >= LEAST_SHARE;
      if (i === j || !start || !end || !(often || (isLit && count)) || (states[i] !== 2 && states[j] !== 2)) return;
      const width = 1 + 5.5 * Math.sqrt(count / most);
      arrows.push(makeArrow(camera.toPixel(start), camera.toPixel(end), i, j, width, clusterColor(recording, i)));
    });
  });
  return arrows.sort((one, other) => one.width - other.width);
}

/** What the pictures on a map need to know of it. */
export function shelfOf(app: App, map: ShownMap): Shelf {
  const { recording } = map;
  const has = (index: number): boolean => recording.meta.has_frames && app.source.hasFrame(recording.id, recording.rowOf(index));
  return {
    camera: map.camera,
    nearest: (px, py, reach) => map.nearest(px, py, reach, has),
    unit: (index) => (map.plane ? recording.unit(map.plane, index) : null),
    color: (index) => {
      const cluster = recording.get("cluster")?.[index];
      return cluster === undefined ? null : clusterColor(recording, cluster);
    },
    picture: async (index) => (await app.frames.get(recording.id)?.get(recording.rowOf(index))) ?? null,
    changed: (indices) => {
      map.host.dataset.pictured = indices.map((index) => recording.rowOf(index)).join(" "); // for tests and scripts
      map.refresh(false);
    },
  };
}

/** How dense the densest parts of a plane are; looked at once. */
export function densestOf(recording: Recording, plane: PlaneName): number {
  return recording.keepNow(`densest ${plane}`, () => densest(recording.get(plane) as Uint16Array));
}
