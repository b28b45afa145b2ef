// The paths of several episodes on a map, each in its own colour and dashes, with the episode's number at its end.
import type { PlaneName, Point } from "../data/contract";
import { pointsOfEpisode } from "../data/episode_order";
import { MOST_PATHS, type Paths } from "../data/paths";
import type { Recording } from "../data/recording";
import type { Camera } from "./camera";
import type { Ink, LabelPen } from "./drawing";
import { BADGE } from "./label_places";

/** Seen on the light map and on the dark one: at least three times the luminance of either, or a third. */
const COLORS = ["#e0323c", "#2f7fe0", "#1f9d55", "#c9730d", "#9a5bd0", "#0d97a5", "#d0489a", "#8a7a55"];
const DASHES = [[], [9, 4], [2.5, 4], [11, 3.5, 2.5, 3.5]];
const LABEL_HEIGHT = 16;

export interface PathLook {
  color: string;
  dash: readonly number[];
}

/** How the path in a place is drawn. */
export function pathLook(place: number): PathLook {
  return { color: COLORS[place % MOST_PATHS], dash: DASHES[place % DASHES.length] };
}

export function drawPaths(
  context: LabelPen, recording: Recording, paths: Paths, planes: { from: PlaneName; to: PlaneName }, moved: number,
  camera: Camera, ink: Ink, badges: readonly Point[],
): void {
  if (!recording.episodes) return;
  const count = recording.meta.num_episodes;
  const drawn = paths.flatMap((path, place) => {
    if (path?.rec !== recording.id || path.episode >= count) return [];
    const pixels = pixelsOf(recording, path.episode, planes, moved, camera);
    return pixels.length ? [{ pixels, episode: path.episode, ...pathLook(place) }] : [];
  });
  context.lineJoin = context.lineCap = "round";
  for (const { pixels, color, dash } of drawn) {
    trace(context, pixels);
    [context.lineWidth, context.strokeStyle, context.globalAlpha] = [5, ink.paper, 0.8];
    context.stroke();
    context.setLineDash([...dash]);
    [context.lineWidth, context.strokeStyle, context.globalAlpha] = [2.25, color, 1];
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.arc(pixels[0][0], pixels[0][1], 4, 0, 2 * Math.PI);
    [context.fillStyle, context.lineWidth] = [ink.paper, 2];
    context.fill();
    context.stroke();
  }
  // numbers lie over all lines
  context.font = "600 11px system-ui, sans-serif";
  [context.textAlign, context.textBaseline] = ["center", "middle"];
  const taken = [...badges];
  for (const { pixels, episode, color } of drawn) {
    const end = pixels[pixels.length - 1];
    const width = Math.max(context.measureText(String(episode)).width + 9, LABEL_HEIGHT);
    const [x, y] = freePlace(end, width, taken);
    taken.push([x, y]);
    context.beginPath();
    context.arc(end[0], end[1], 4, 0, 2 * Math.PI);
    context.fillStyle = color;
    context.fill();
    context.beginPath();
    context.roundRect(x - width / 2, y - LABEL_HEIGHT / 2, width, LABEL_HEIGHT, 4);
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [ink.paper, color, 2];
    context.fill();
    context.stroke();
    context.fillStyle = ink.ink;
    context.fillText(String(episode), x, y + 0.5);
  }
}

/** The middle of a number at the end of a path, or beside it where it would cover a badge or another number. */
function freePlace([x, y]: Point, width: number, taken: readonly Point[]): Point {
  const places: Point[] = [[x, y], [x, y - 20], [x, y + 20], [x + width / 2 + 10, y], [x - width / 2 - 10, y]];
  const isFree = ([left, top]: Point): boolean => taken.every(([a, b]) => Math.abs(a - left) > width / 2 + BADGE / 2 || Math.abs(b - top) > LABEL_HEIGHT / 2 + BADGE / 2);
  return places.find(isFree) ?? places[0];
}

/** Where the states of an episode lie, as far as they are on the map. */
function pixelsOf(recording: Recording, episode: number, planes: { from: PlaneName; to: PlaneName }, moved: number, camera: Camera): Point[] {
  const [first, end] = pointsOfEpisode(recording, episode);
  const found: Point[] = [];
  for (let index = first; index < end; index++) {
    const to = recording.unit(planes.to, index);
    const from = moved < 1 ? (recording.unit(planes.from, index) ?? to) : to;
    if (to && from) found.push(camera.toPixel([from[0] + (to[0] - from[0]) * moved, from[1] + (to[1] - from[1]) * moved]));
  }
  return found;
}

function trace(context: LabelPen, pixels: readonly Point[]): void {
  context.beginPath();
  pixels.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
}
