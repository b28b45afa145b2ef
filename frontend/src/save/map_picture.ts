// One map as a picture: cells, points, frames, arrows, paths, the lasso and names, as they are in view.
import type { App } from "../app";
import type { Point } from "../data/contract";
import { placeOf } from "../data/paths";
import { toUnit } from "../data/recording";
import { Camera } from "../map/camera";
import { codeCells } from "../map/cells";
import { clusterColor, clusterInk, colorize } from "../map/colors";
import { drawArrow, drawCells, drawLasso, drawPath } from "../map/drawing";
import { type Colors, colorsOfTheme } from "../map/ink";
import { apart, BADGE, namePlaces } from "../map/label_places";
import { labelPlaces } from "../map/labels";
import { arrowsBetween, densestOf, pathOf, shelfOf, visibleStates } from "../map/overlays";
import { drawPaths } from "../map/paths";
import { densityLook, pointLook, Points, shadowOf } from "../map/points";
import { shuffled } from "../map/program";
import type { ShownMap } from "../map/shown";
import { EDGE, Thumbnails } from "../map/thumbnails";
import { fitted, type Lettering, type Surface, widthOf } from "./surface";
import { type Dot, SvgSurface } from "./svg_surface";

/** Up to so many points are drawn as circles that can be edited; more of them are one image in the file. */
export const MOST_CIRCLES = 20_000;
const MOST_PIXELS = 8192;
const NAME: Lettering = { size: 13, weight: 600, color: "" };
const MOST_NAME = 190;
/** As in map.css. */
const BADGE_RADIUS = 10.5;

export interface MapPicture {
  app: App;
  map: ShownMap;
  /** In the drawing's own units. */
  width: number;
  height: number;
  /** Pixels of a unit. */
  scale: number;
  dark: boolean;
  /** Which it is of several. */
  title: string | null;
}

/** Whether the points of maps are drawn one by one in an SVG. */
export function areCircles(app: App): boolean {
  return app.recordings.reduce((sum, { count }) => sum + count, 0) <= MOST_CIRCLES && app.view.get().density !== true;
}

/** Draw a map; what has to be fetched first is fetched. Returns what draws it. */
export async function prepareMap(picture: MapPicture): Promise<(surface: Surface) => void> {
  const { app, map, width, height, dark } = picture;
  const camera = new Camera();
  [camera.width, camera.height, camera.zoom] = [width, height, map.zoom];
  const view = app.view.get();
  const pictures = new Thumbnails({ ...shelfOf(app, map), ...nearestOn(app, map, camera), camera, changed: () => undefined });
  if (view.frames) await pictures.settle();
  const colors = colorsOfTheme(dark);
  return (surface) => {
    drawUnder(picture, camera, colors, surface);
    surface.group("points");
    drawPoints(picture, camera, colors, surface);
    surface.end();
    if (view.frames) drawPictures(pictures, colors, surface);
    drawOver(picture, camera, colors, surface);
    if (picture.title !== null) surface.text(14, 20, picture.title, { size: 13, color: colors.ink.ink, halo: colors.ink.paper });
  };
}

/** The nearest state of a map that is drawn in another size than it is shown. */
function nearestOn(app: App, map: ShownMap, camera: Camera): { nearest(px: number, py: number, reach: number): number } {
  const { recording } = map;
  const has = (index: number): boolean => recording.meta.has_frames && app.source.hasFrame(recording.id, recording.rowOf(index));
  return {
    nearest(px, py, reach) {
      const [x, y] = map.camera.toPixel(camera.toUnit(px, py));
      return map.nearest(x, y, (reach * map.camera.side) / camera.side, has);
    },
  };
}

function drawUnder({ app, map }: MapPicture, camera: Camera, { ink }: Colors, surface: Surface): void {
  const { recording } = map;
  const { cells, color, ...view } = app.view.get();
  const limits = recording.plane("fdr")?.limits;
  if (!cells || map.plane !== "fdr" || !limits) return;
  const states = visibleStates(recording, view);
  const shapes = codeCells(recording.meta.codebook.map((code) => toUnit(limits, code)), camera.corners());
  surface.group("cells");
  drawCells(surface, shapes, shapes.map((_, k) => (color === "cluster" && states[k] === 2 ? clusterColor(recording, k) : null)), camera, ink);
  surface.end();
}

function drawPoints(picture: MapPicture, camera: Camera, colors: Colors, surface: Surface): void {
  const { app, map, scale, dark } = picture;
  const { recording, plane } = map;
  if (!plane || !recording.count) return;
  const most = Math.max(...app.recordings.map(({ count }) => count), 1);
  const { size, opacity, isDense } = pointLook(recording.count, most, camera);
  const coloring = colorize(recording, app.view.get(), dark);
  const states = visibleStates(recording, app.view.get());
  if (surface instanceof SvgSurface && areCircles(app)) {
    return drawCircles(picture, camera, colors, surface, coloring, states, size / 2, opacity);
  }
  const canvas = document.createElement("canvas");
  const fine = Math.min(scale, MOST_PIXELS / Math.max(picture.width, picture.height));
  [canvas.width, canvas.height] = [Math.round(picture.width * fine), Math.round(picture.height * fine)];
  const points = new Points(canvas, recording.count);
  const places = recording.get(plane) as Uint16Array;
  points.setPlanes(places, places);
  points.setTones(coloring.values, coloring.colors, coloring.low, coloring.high);
  points.setGroups(recording.get("cluster") ?? null, states);
  points.setMarks(map.marks);
  const { rim } = colors;
  const ghost = shadowOf(colors, opacity);
  const isSummed = (app.view.get().density ?? isDense) && points.canSum;
  const density = isSummed ? densityLook(densestOf(recording, plane), camera, fine) : null;
  points.begin({ center: [camera.zoom.x, camera.zoom.y], scale: camera.scale, moved: 1, size: size * fine, opacity, ghost, rim, density });
  while (!points.done) points.step();
  surface.image(canvas, 0, 0, picture.width, picture.height);
  points.release();
}

/** As points.ts draws them: shadows behind, what is rare on top and larger, the others in an order that favours none. */
function drawCircles(
  { map }: MapPicture, camera: Camera, colors: Colors, surface: SvgSurface, coloring: ReturnType<typeof colorize>, states: Uint8Array, radius: number, opacity: number,
): void {
  const { recording, plane, marks } = map;
  if (!plane) return;
  const clusters = recording.get("cluster");
  const layers: Dot[][] = [[], [], []];
  const [ghost, rim] = [hex(colors.ghost), hex(colors.rim)];
  for (const index of shuffled(recording.count)) {
    const unit = recording.unit(plane, index);
    const state = states[clusters?.[index] ?? 0];
    if (!unit || state === 0) continue;
    const [x, y] = camera.toPixel(unit);
    if (x < -radius || y < -radius || x > camera.width + radius || y > camera.height + radius) continue;
    if (state === 1 || marks?.[index] === 0) {
      layers[0].push({ x, y, color: ghost });
      continue;
    }
    const value = coloring.values?.[index] ?? 0;
    const tone = Math.floor(Math.min(Math.max(((value - coloring.low) * 255.999) / Math.max(coloring.high - coloring.low, 1e-9), 0), 255));
    const [r, g, b, a] = coloring.colors.subarray(4 * tone, 4 * tone + 4);
    layers[a > 230 ? 2 : 1].push({ x, y, color: hex([r / 255, g / 255, b / 255]) });
  }
  surface.dots(layers[0], radius, shadowOf(colors, opacity)[3], null);
  surface.dots(layers[1], radius, opacity, rim);
  surface.dots(layers[2], 1.3 * radius, Math.max(opacity, 0.6), rim);
}

function hex(channels: ArrayLike<number>): string {
  return `#${[0, 1, 2].map((at) => Math.round(channels[at] * 255).toString(16).padStart(2, "0")).join("")}`;
}

function drawPictures(pictures: Thumbnails, { ink }: Colors, surface: Surface): void {
  surface.group("frames");
  for (const { bitmap, color, left, top, width, height } of pictures.placed()) {
    surface.rect(left - EDGE, top - EDGE, width + 2 * EDGE, height + 2 * EDGE, color ?? ink.ink, EDGE + 2);
    surface.image(bitmap, left, top, width, height);
  }
  surface.end();
}

function drawOver({ app, map }: MapPicture, camera: Camera, { ink, faint }: Colors, surface: Surface): void {
  const { recording, plane } = map;
  const [view, lasso, { data, first, index, rec }] = [app.view.get(), app.lasso.get(), app.player.store.get()];
  if (!plane) return;
  const places = labelPlaces(recording, plane);
  if (view.panel === "transitions" && view.rec === recording.id) {
    surface.group("transitions");
    surface.globalAlpha = data ? 0.3 : 1; // as on the map
    for (const arrow of arrowsBetween(app, recording, places, camera)) drawArrow(surface, arrow, ink, false);
    surface.globalAlpha = 1;
    surface.end();
  }
  if (view.paths.length) {
    const badges = view.names ? places.flatMap((place) => (place ? [camera.toPixel(place)] : [])) : [];
    surface.group("episodes");
    drawPaths(surface, recording, view.paths, { from: plane, to: plane }, 1, camera, ink, badges);
    surface.globalAlpha = 1;
    surface.end();
  }
  if (data && (rec === recording.id || app.twin(rec, data.first_row, recording) >= 0)) {
    surface.group("episode");
    drawPath(surface, pathOf(recording, data, rec === recording.id, { from: plane, to: plane }, 1), first, index, camera, ink, placeOf(view.paths, rec, data.episode) >= 0);
    surface.end();
  }
  const own = lasso.plane && recording.plane(lasso.plane)?.limits;
  if (lasso.rec === recording.id && own && lasso.plane === plane && lasso.polygon.length) {
    surface.group("lasso");
    drawLasso(surface, lasso.polygon.map((point) => toUnit(own, point)), true, camera, ink);
    surface.globalAlpha = 1;
    surface.end();
  }
  if (view.names) drawNames(app, map, places, camera, { ink, faint }, surface);
}

function drawNames(app: App, { recording }: ShownMap, places: readonly (Point | null)[], camera: Camera, { ink, faint }: Pick<Colors, "ink" | "faint">, surface: Surface): void {
  const states = visibleStates(recording, app.view.get());
  const texts = recording.meta.colors.map((_, cluster) => fitted(app.notesOf(recording.id).name(cluster), MOST_NAME, NAME));
  const badges = apart(places.map((place, cluster) => (place && states[cluster] !== 0 ? camera.toPixel(place) : null)));
  const names = namePlaces(badges, texts.map((text) => (text ? Math.ceil(widthOf(text, NAME)) : 0)), [camera.width, camera.height]);
  surface.group("names");
  badges.forEach((badge, cluster) => {
    const [name, dim] = [names[cluster], states[cluster] === 1];
    if (!badge) return;
    if (name && texts[cluster]) {
      const how = { ...NAME, color: dim ? faint : ink.ink, weight: dim ? 400 : 600, halo: ink.paper };
      surface.text(badge[0] + name[0], badge[1] + name[1] + 10, texts[cluster], how);
    }
    drawBadge(surface, badge, cluster, clusterColor(recording, cluster), clusterInk(recording, cluster), dim ? 0.35 : 1);
  });
  surface.end();
}

/** A cluster's number on its colour. */
export function drawBadge(surface: Surface, [x, y]: Point, cluster: number, color: string, onIt: string, opacity = 1, radius = BADGE_RADIUS): void {
  surface.globalAlpha = opacity;
  for (const [fill, r] of [["#ffffff", (radius * BADGE) / (2 * BADGE_RADIUS)], [color, radius]] as const) {
    surface.fillStyle = fill;
    surface.beginPath();
    surface.arc(x, y, r, 0, 2 * Math.PI);
    surface.fill();
  }
  surface.globalAlpha = 1;
  surface.text(x, y, String(cluster), { size: radius * 1.14, weight: 700, color: onIt, anchor: "middle", opacity });
}
