// What is drawn under and over the points with the browser's 2-D canvas: cells, paths, arrows and lassos.
import type { Point } from "../data/contract";
import type { Camera } from "./camera";

export interface Ink {
  paper: string;
  ink: string;
  accent: string;
  line: string;
  tint: number;
}

/** What of a canvas's context is drawn with here: save/svg_surface offers it too. */
export type Pen = Pick<CanvasRenderingContext2D,
  "beginPath" | "moveTo" | "lineTo" | "closePath" | "arc" | "fill" | "stroke" | "setLineDash" | "globalAlpha" | "fillStyle" | "strokeStyle" | "lineWidth" |
  "lineJoin" | "lineCap">;

/** The same, with what labels are written with. */
export type LabelPen = Pen & Pick<CanvasRenderingContext2D, "font" | "textAlign" | "textBaseline" | "measureText" | "roundRect" | "fillText">;

/** Clear a canvas and make it as large as its place, in the screen's pixels. */
export function fit(canvas: HTMLCanvasElement, width: number, height: number, density: number): CanvasRenderingContext2D {
  const [w, h] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  // Chromium (seen in 156) goes on showing what was there where nothing is drawn after everything was cleared
  context.fillStyle = "#000";
  context.fillRect(0, 0, 1, 1);
  context.clearRect(0, 0, 1, 1);
  return context;
}

function outline(context: Pen, pixels: readonly Point[]): void {
  context.beginPath();
  pixels.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
}

export function drawCells(context: Pen, cells: Point[][], colors: readonly (string | null)[], camera: Camera, ink: Ink): void {
  cells.forEach((cell, index) => {
    if (!cell.length) return;
    outline(context, cell.map((point) => camera.toPixel(point)));
    context.closePath();
    const color = colors[index];
    if (color) {
      context.globalAlpha = ink.tint;
      context.fillStyle = color;
      context.fill();
    }
    context.globalAlpha = 1;
    context.strokeStyle = ink.line;
    context.lineWidth = 1;
    context.stroke();
  });
}

/** States of a path that stand out behind the one under the cursor. */
const RECENT = 36;

/** The states of an episode in order; where the plane does not have one, the line goes on from the last to the next. With `isDrawn`, all of it is there in another colour. */
export function drawPath(context: Pen, path: readonly (Point | null)[], first: number, index: number, camera: Camera, ink: Ink, isDrawn = false): void {
  const pixels = path.map((point) => (point ? camera.toPixel(point) : null));
  const placed = pixels.filter((pixel) => pixel !== null);
  if (!placed.length) return;
  context.lineJoin = context.lineCap = "round";
  const stroke = (points: readonly Point[], width: number, color: string, alpha: number): void => {
    outline(context, points);
    [context.lineWidth, context.strokeStyle, context.globalAlpha] = [width, color, alpha];
    context.stroke();
  };
  const past = pixels.slice(Math.min(first, index), index + 1).filter((pixel) => pixel !== null);
  const recent = past.slice(-RECENT);
  if (!isDrawn) {
    stroke(placed, 3, ink.paper, first > 0 ? 0.3 : 0.55);
    stroke(placed, 1.25, ink.ink, first > 0 ? 0.22 : 0.4);
    if (past.length > RECENT) stroke(past, 1.5, ink.ink, 0.45);
    stroke(recent, 4.5, ink.paper, 0.8);
  }
  stroke(recent, 2, ink.ink, 0.95);
  context.globalAlpha = 1;
  if (past.length) dot(context, past[0], 3, ink.paper, ink.ink, 1.5);
  const here = past[past.length - 1];
  if (here) {
    dot(context, here, 9, "transparent", ink.paper, 5);
    dot(context, here, 8, "transparent", ink.accent, 2.5);
    dot(context, here, 3, ink.accent, ink.paper, 1.5);
  }
}

function dot(context: Pen, [x, y]: Point, radius: number, fill: string, line: string, width: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  [context.fillStyle, context.strokeStyle, context.lineWidth] = [fill, line, width];
  context.fill();
  context.stroke();
}

export function drawLasso(context: Pen, polygon: readonly Point[], closed: boolean, camera: Camera, ink: Ink): void {
  if (polygon.length < 2) return;
  outline(context, polygon.map((point) => camera.toPixel(point)));
  if (closed) context.closePath();
  [context.globalAlpha, context.fillStyle] = [0.07, ink.accent];
  context.fill();
  [context.globalAlpha, context.strokeStyle, context.lineWidth] = [0.9, ink.paper, 4];
  context.stroke();
  [context.globalAlpha, context.strokeStyle, context.lineWidth] = [1, ink.accent, 1.75];
  context.setLineDash(closed ? [] : [5, 4]);
  context.stroke();
  context.setLineDash([]);
}

/** Where the keyboard sets the next corner of a lasso. */
export function drawCross(context: Pen, [x, y]: Point, ink: Ink): void {
  for (const [color, width] of [[ink.paper, 5], [ink.accent, 2]] as const) {
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 3 * dx, y + 3 * dy);
      context.lineTo(x + 12 * dx, y + 12 * dy);
    }
    [context.strokeStyle, context.lineWidth, context.lineCap] = [color, width, "round"];
    context.stroke();
  }
}

/** An arrow between two clusters: a bent line of which `at(0…1)` gives the points. */
export interface Arrow {
  from: number;
  to: number;
  width: number;
  color: string;
  at(share: number): Point;
}

const BEND = 0.16;
/** Pixels that an arrow keeps from the labels at its ends. */
const GAP = 15;

export function makeArrow(start: Point, end: Point, from: number, to: number, width: number, color: string): Arrow {
  const [dx, dy] = [end[0] - start[0], end[1] - start[1]];
  const length = Math.hypot(dx, dy) || 1;
  const [mx, my] = [(start[0] + end[0]) / 2 - dy * BEND, (start[1] + end[1]) / 2 + dx * BEND];
  const gap = Math.min(GAP / length, 0.4);
  return {
    from, to, width, color,
    at(share) {
      const t = gap + share * (1 - 2 * gap);
      const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
      return [a * start[0] + b * mx + c * end[0], a * start[1] + b * my + c * end[1]];
    },
  };
}

export function drawArrow(context: Pen, arrow: Arrow, ink: Ink, lit: boolean): void {
  const points = Array.from({ length: 25 }, (_, at) => arrow.at((at / 24) * 0.97));
  const [tip, before] = [arrow.at(1), arrow.at(0.9)];
  const angle = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
  const head = 5 + 1.6 * arrow.width;
  const draw = (color: string, extra: number): void => {
    outline(context, points);
    [context.strokeStyle, context.lineWidth, context.lineCap] = [color, arrow.width + extra, "round"];
    context.stroke();
    context.beginPath();
    for (const turn of [0, 2.65, -2.65]) {
      const reach = (turn ? head : 0) + extra * (turn ? 0.9 : 0.5);
      context.lineTo(tip[0] + reach * Math.cos(angle + turn), tip[1] + reach * Math.sin(angle + turn));
    }
    context.closePath();
    context.fillStyle = color;
    context.fill();
  };
  draw(ink.paper, 3);
  draw(lit ? ink.accent : arrow.color, 0);
}

/** The arrow within `reach` pixels of a place; null if there is none. */
export function arrowAt(arrows: readonly Arrow[], x: number, y: number, reach: number): Arrow | null {
  let [best, bestDistance]: [Arrow | null, number] = [null, reach];
  for (const arrow of arrows) {
    for (let at = 0; at <= 24; at++) {
      const [ax, ay] = arrow.at(at / 24);
      const distance = Math.hypot(ax - x, ay - y) - arrow.width / 2;
      if (distance < bestDistance) [best, bestDistance] = [arrow, distance];
    }
  }
  return best;
}
