// What a picture of the view is drawn on: a canvas, or the text of an SVG file.
import type { LabelPen } from "../map/drawing";

export interface Lettering {
  size: number;
  color: string;
  weight?: number;
  anchor?: "start" | "middle" | "end";
  /** Colour around the letters. */
  halo?: string;
  opacity?: number;
}

export interface Surface extends LabelPen {
  /** Say what the next shapes are, for those who edit the file; `end` closes it. */
  group(name: string): void;
  end(): void;
  rect(x: number, y: number, width: number, height: number, fill: string, radius?: number, opacity?: number): void;
  /** Text whose middle height is at y. */
  text(x: number, y: number, text: string, how: Lettering): void;
  image(source: HTMLCanvasElement | ImageBitmap, x: number, y: number, width: number, height: number): void;
  /** A bar whose colour changes from left to right. */
  scale(x: number, y: number, width: number, height: number, stops: readonly string[]): void;
  /** Keep what is drawn until `release` inside a rectangle, with its corner as the origin. */
  clip(x: number, y: number, width: number, height: number): void;
  release(): void;
}

/** As --sans in base.css, for programs that know no more than names. */
export const FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif';

export function fontOf({ size, weight = 400 }: Lettering): string {
  return `${weight} ${size}px ${FONT}`;
}

let ruler: CanvasRenderingContext2D | null = null;

export function metricsOf(text: string, font: string): TextMetrics {
  ruler ??= document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  ruler.font = font;
  return ruler.measureText(text);
}

/** Width of a text in pixels. */
export function widthOf(text: string, how: Lettering): number {
  return metricsOf(text, fontOf(how)).width;
}

/** The text, cut so that it is no wider than `most` pixels. */
export function fitted(text: string, most: number, how: Lettering): string {
  if (widthOf(text, how) <= most) return text;
  let kept = text;
  while (kept && widthOf(`${kept}…`, how) > most) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}
