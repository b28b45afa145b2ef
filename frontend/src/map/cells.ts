// The cells of the clusters: where which code is the nearest, as convex polygons cut out of what is in view.
import type { Point } from "../data/contract";

/** Cell of each code within a convex polygon; empty where a code is not the nearest of any point of it. */
export function codeCells(codes: readonly Point[], view: readonly Point[]): Point[][] {
  return codes.map((code, index) => {
    let cell: Point[] = [...view];
    for (let other = 0; other < codes.length && cell.length; other++) {
      const [dx, dy] = [codes[other][0] - code[0], codes[other][1] - code[1]];
      if (dx === 0 && dy === 0) {
        if (other < index) cell = []; // of two equal codes the first has the cell, as in the network
        continue;
      }
      const offset = (dx * (code[0] + codes[other][0]) + dy * (code[1] + codes[other][1])) / 2;
      cell = clip(cell, dx, dy, offset);
    }
    return cell;
  });
}

/** The part of a convex polygon where dx·x + dy·y ≤ offset (Sutherland and Hodgman, 1974). */
function clip(polygon: Point[], dx: number, dy: number, offset: number): Point[] {
  const kept: Point[] = [];
  for (let at = 0; at < polygon.length; at++) {
    const [point, last] = [polygon[at], polygon[(at + polygon.length - 1) % polygon.length]];
    const height = dx * point[0] + dy * point[1] - offset;
    const lastHeight = dx * last[0] + dy * last[1] - offset;
    if (height > 0 !== lastHeight > 0) {
      const part = lastHeight / (lastHeight - height);
      kept.push([last[0] + (point[0] - last[0]) * part, last[1] + (point[1] - last[1]) * part]);
    }
    if (height <= 0) kept.push(point);
  }
  return kept;
}

/** Whether a point lies in a polygon, by the even-odd rule. */
export function isInside(polygon: readonly Point[], x: number, y: number): boolean {
  let inside = false;
  for (let at = 0, last = polygon.length - 1; at < polygon.length; last = at++) {
    const [ax, ay] = polygon[at];
    const [bx, by] = polygon[last];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** 1 for each point of the map (quantised, two numbers each) inside a polygon of the unit square, else 0. */
export function marksInside(points: Uint16Array, polygon: readonly Point[]): Uint8Array {
  const scaled = polygon.map(([x, y]): Point => [x * 65535, y * 65535]);
  const [xs, ys] = [scaled.map((point) => point[0]), scaled.map((point) => point[1])];
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const marks = new Uint8Array(points.length / 2);
  for (let index = 0; index < marks.length; index++) {
    const [x, y] = [points[2 * index], points[2 * index + 1]];
    if (x >= left && x <= right && y >= bottom && y <= top && isInside(scaled, x, y)) marks[index] = 1;
  }
  return marks;
}
