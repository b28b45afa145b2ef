// From the unit square of a plane to the pixels of a map, and back.
import type { Point } from "../data/contract";
import type { Zoom } from "../data/view";

const MARGIN = 0.94;
export const WHOLE: Zoom = { x: 0.5, y: 0.5, scale: 1 };
const LEAST = 0.5;
const MOST = 400;

export class Camera {
  width = 1;
  height = 1;
  zoom: Zoom = WHOLE;

  /** Pixels that the unit square is wide. */
  get side(): number {
    return Math.min(this.width, this.height) * MARGIN * this.zoom.scale;
  }

  toPixel([x, y]: Point): [number, number] {
    return [(x - this.zoom.x) * this.side + this.width / 2, (this.zoom.y - y) * this.side + this.height / 2];
  }

  toUnit(px: number, py: number): [number, number] {
    return [(px - this.width / 2) / this.side + this.zoom.x, this.zoom.y - (py - this.height / 2) / this.side];
  }

  /** The part of the plane in view, as corners in the unit square. */
  corners(): Point[] {
    const [left, top] = this.toUnit(0, 0);
    const [right, bottom] = this.toUnit(this.width, this.height);
    return [[left, bottom], [right, bottom], [right, top], [left, top]];
  }

  /** Factors from the unit square to WebGL's coordinates. */
  get scale(): Point {
    return [(2 * this.side) / this.width, (2 * this.side) / this.height];
  }

  pan(dx: number, dy: number): Zoom {
    return bounded({ ...this.zoom, x: this.zoom.x - dx / this.side, y: this.zoom.y + dy / this.side });
  }

  /** Enlarge by a factor around a pixel, which stays where it is. */
  zoomAt(px: number, py: number, factor: number): Zoom {
    const scale = clamp(this.zoom.scale * factor, LEAST, MOST);
    const by = this.zoom.scale / scale;
    const [x, y] = this.toUnit(px, py);
    return bounded({ x: x + (this.zoom.x - x) * by, y: y + (this.zoom.y - y) * by, scale });
  }
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Keep the middle of the view near the plane, so that one cannot get lost. */
function bounded({ x, y, scale }: Zoom): Zoom {
  return { x: clamp(x, -0.1, 1.1), y: clamp(y, -0.1, 1.1), scale };
}
