// Pictures of states on the map, where there is room: each stands on its state and covers no other picture.
import type { Point } from "../data/contract";
import type { Camera } from "./camera";

/** Of a map's smaller side; pixels. */
const SHARE = 1 / 11;
const LEAST = 44;
const MOST = 84;
/** Candidates along a picture's side: the more, the denser pictures can stand. */
const FINENESS = 2;
/** Milliseconds that a map must rest before other pictures are chosen. */
const REST = 140;
export const EDGE = 2;

export interface Thumbnail {
  index: number;
  /** Where its state lies in the unit square. */
  unit: Point;
  /** Colour of the state's cluster, if it has one. */
  color: string | null;
  bitmap: ImageBitmap | null;
}

export interface Shelf {
  camera: Camera;
  /** The state nearest to a pixel that may be shown with its picture, within `reach` pixels; -1 if there is none. */
  nearest(px: number, py: number, reach: number): number;
  unit(index: number): Point | null;
  color(index: number): string | null;
  picture(index: number): Promise<ImageBitmap | null>;
  /** Draw again: pictures have come, or others were chosen; of which states. */
  changed(indices: readonly number[]): void;
}

/** Width and height of a picture whose longer side is given. */
function within(side: number, { width, height }: ImageBitmap): [number, number] {
  const scale = side / Math.max(width, height);
  return [Math.max(Math.round(width * scale), 1), Math.max(Math.round(height * scale), 1)];
}

export class Thumbnails {
  private chosen: Thumbnail[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private key = "";
  /** Of the pictures chosen last. */
  private fetching: Promise<void>[] = [];

  constructor(private readonly shelf: Shelf) {}

  /** Let go of all pictures. */
  clear(): void {
    clearTimeout(this.timer);
    [this.chosen, this.key] = [[], ""];
  }

  /** Choose again, once the map rests, if anything changed that the choice depends on. */
  want(what: string): void {
    const { x, y, scale } = this.shelf.camera.zoom;
    const key = [what, x, y, scale, this.shelf.camera.width, this.shelf.camera.height].join(" ");
    if (key === this.key) return;
    const first = this.key === "";
    this.key = key;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.choose(), first ? 0 : REST);
  }

  /** Choose now, and wait for all pictures. */
  async settle(): Promise<void> {
    this.choose();
    await Promise.all(this.fetching);
  }

  /** What is chosen, and where each picture is, in pixels. */
  placed(): { bitmap: ImageBitmap; color: string | null; left: number; top: number; width: number; height: number }[] {
    return this.chosen.flatMap(({ unit, color, bitmap }) => {
      if (!bitmap) return [];
      const [x, y] = this.shelf.camera.toPixel(unit);
      const [width, height] = within(this.side, bitmap);
      return [{ bitmap, color, left: Math.round(x - width / 2), top: Math.round(y - height / 2), width, height }];
    });
  }

  /** State whose picture is at a pixel; -1 if there is none. */
  at(px: number, py: number): number {
    const found = this.chosen.find(({ unit, bitmap }) => {
      const [x, y] = this.shelf.camera.toPixel(unit);
      const [width, height] = bitmap ? within(this.side, bitmap) : [-1, -1];
      return Math.abs(px - x) <= width / 2 && Math.abs(py - y) <= height / 2;
    });
    return found?.index ?? -1;
  }

  draw(context: CanvasRenderingContext2D, line: string): void {
    context.imageSmoothingQuality = "high";
    for (const { bitmap, color, left, top, width, height } of this.placed()) {
      context.fillStyle = color ?? line;
      context.beginPath();
      context.roundRect(left - EDGE, top - EDGE, width + 2 * EDGE, height + 2 * EDGE, EDGE + 2);
      context.fill();
      context.drawImage(bitmap, left, top, width, height);
    }
  }

  private get side(): number {
    const { width, height } = this.shelf.camera;
    return Math.round(Math.min(Math.max(Math.min(width, height) * SHARE, LEAST), MOST));
  }

  /** Go through a grid that is fixed to the plane, so that moving the map leaves pictures where they are. */
  private choose(): void {
    const { camera } = this.shelf;
    const room = this.side + 4 * EDGE;
    // the grid's squares are as wide as a picture or up to twice as wide, whatever the map's enlargement is
    const scale = 2 ** Math.floor(Math.log2(camera.side));
    const square = room / FINENESS / scale;
    const [left, top] = camera.toUnit(0, 0);
    const [right, bottom] = camera.toUnit(camera.width, camera.height);
    const before = new Map(this.chosen.map((known) => [known.index, known]));
    const taken: [number, number][] = [];
    const chosen: Thumbnail[] = [];
    for (let row = Math.floor(bottom / square); row * square < top; row++) {
      for (let column = Math.floor(left / square); column * square < right; column++) {
        const [px, py] = camera.toPixel([(column + 0.5) * square, (row + 0.5) * square]);
        const index = this.shelf.nearest(px, py, 0.5 * square * camera.side);
        const unit = index < 0 ? null : this.shelf.unit(index);
        if (!unit) continue;
        const [x, y] = camera.toPixel(unit);
        if (taken.some(([a, b]) => Math.abs(a - x) < room && Math.abs(b - y) < room)) continue;
        taken.push([x, y]);
        chosen.push(before.get(index) ?? { index, unit, color: null, bitmap: null });
      }
    }
    this.fetching = [];
    for (const one of chosen) {
      one.unit = this.shelf.unit(one.index) ?? one.unit;
      one.color = this.shelf.color(one.index);
      if (!one.bitmap) this.fetching.push(this.fetch(one));
    }
    this.chosen = chosen;
    this.shelf.changed(this.chosen.filter(({ bitmap }) => bitmap).map(({ index }) => index));
  }

  private async fetch(one: Thumbnail): Promise<void> {
    one.bitmap = await this.shelf.picture(one.index).catch(() => null);
    if (this.chosen.includes(one)) this.shelf.changed(this.chosen.filter(({ bitmap }) => bitmap).map(({ index }) => index));
  }
}
