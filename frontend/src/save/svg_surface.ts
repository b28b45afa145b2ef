// A picture drawn as SVG: shapes that can be edited, and text that is text.
import { DROP } from "./canvas_surface";
import { FONT, type Lettering, metricsOf, type Surface } from "./surface";

export interface Dot {
  x: number;
  y: number;
  color: string;
}

export class SvgSurface implements Surface {
  globalAlpha = 1;
  fillStyle: string | CanvasGradient | CanvasPattern = "#000000";
  strokeStyle: string | CanvasGradient | CanvasPattern = "#000000";
  lineWidth = 1;
  lineJoin: CanvasLineJoin = "miter";
  lineCap: CanvasLineCap = "butt";
  font = "400 13px sans-serif";
  textAlign: CanvasTextAlign = "start";
  textBaseline: CanvasTextBaseline = "alphabetic";
  private dash: number[] = [];
  private path = "";
  /** The path, if it is one circle and nothing else. */
  private circle: string | null = null;
  private readonly parts: string[] = [];
  private readonly defs: string[] = [];

  constructor(
    /** Makes the address of an image's content. */
    private readonly contentOf: (source: HTMLCanvasElement | ImageBitmap) => string,
  ) {}

  beginPath(): void {
    [this.path, this.circle] = ["", null];
  }

  moveTo(x: number, y: number): void {
    this.path += `M${n(x)} ${n(y)}`;
    this.circle = null;
  }

  lineTo(x: number, y: number): void {
    this.path += `${this.path ? "L" : "M"}${n(x)} ${n(y)}`;
    this.circle = null;
  }

  closePath(): void {
    this.path += "Z";
  }

  /** A whole circle. */
  arc(x: number, y: number, radius: number): void {
    this.circle = this.path ? null : `cx="${n(x)}" cy="${n(y)}" r="${n(radius)}"`;
    const r = n(radius);
    this.path += `M${n(x - radius)} ${n(y)}A${r} ${r} 0 1 0 ${n(x + radius)} ${n(y)}A${r} ${r} 0 1 0 ${n(x - radius)} ${n(y)}Z`;
  }

  roundRect(x: number, y: number, width: number, height: number, radii: number | DOMPointInit | Iterable<number | DOMPointInit> = 0): void {
    const r = Math.min(typeof radii === "number" ? radii : 0, width / 2, height / 2);
    const arc = (dx: number, dy: number): string => `a${n(r)} ${n(r)} 0 0 1 ${n(dx)} ${n(dy)}`;
    this.path += `M${n(x + r)} ${n(y)}h${n(width - 2 * r)}${arc(r, r)}v${n(height - 2 * r)}${arc(-r, r)}h${n(2 * r - width)}${arc(-r, -r)}v${n(2 * r - height)}${arc(r, -r)}Z`;
    this.circle = null;
  }

  measureText(text: string): TextMetrics {
    return metricsOf(text, this.font);
  }

  fillText(text: string, x: number, y: number): void {
    const [, weight = "400", size = "13"] = /^(\d+)? ?([\d.]+)px/.exec(this.font) ?? [];
    const anchor = this.textAlign === "center" ? "middle" : this.textAlign === "right" || this.textAlign === "end" ? "end" : "start";
    const middle = this.textBaseline === "middle" ? y : y - DROP * Number(size);
    this.text(x, middle, text, { size: Number(size), weight: Number(weight), color: String(this.fillStyle), anchor });
  }

  fill(): void {
    if (this.fillStyle !== "transparent") this.shape(`fill="${escaped(String(this.fillStyle))}"${this.alpha("fill")}`);
  }

  stroke(): void {
    const { lineJoin: join, lineCap: cap, dash } = this;
    const more = `${join === "miter" ? "" : ` stroke-linejoin="${join}"`}${cap === "butt" ? "" : ` stroke-linecap="${cap}"`}${dash.length ? ` stroke-dasharray="${dash.map(n).join(" ")}"` : ""}`;
    this.shape(`fill="none" stroke="${escaped(String(this.strokeStyle))}" stroke-width="${n(this.lineWidth)}"${this.alpha("stroke")}${more}`);
  }

  setLineDash(segments: Iterable<number>): void {
    this.dash = [...segments];
  }

  group(name: string): void {
    this.parts.push(`<g id="${escaped(name)}">`);
  }

  end(): void {
    this.parts.push("</g>");
  }

  rect(x: number, y: number, width: number, height: number, fill: string, radius = 0, opacity = 1): void {
    const more = `${radius ? ` rx="${n(radius)}"` : ""}${opacity < 1 ? ` fill-opacity="${n(opacity)}"` : ""}`;
    this.parts.push(`<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${escaped(fill)}"${more}/>`);
  }

  /** Circles in their colours, one over the other. */
  dots(dots: readonly Dot[], radius: number, opacity: number, rim: string | null): void {
    const around = rim === null ? "" : ` stroke="${escaped(rim)}" stroke-opacity="${n(0.22 * opacity)}" stroke-width="${n(radius / 4)}"`;
    this.parts.push(`<g fill-opacity="${n(opacity)}"${around}>`);
    for (const { x, y, color } of dots) this.parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}" fill="${color}"/>`);
    this.parts.push("</g>");
  }

  text(x: number, y: number, text: string, { size, weight, color, anchor = "start", halo, opacity }: Lettering): void {
    const around = halo ? ` paint-order="stroke" stroke="${escaped(halo)}" stroke-width="4" stroke-linejoin="round"` : "";
    const more = `${weight ? ` font-weight="${weight}"` : ""}${anchor === "start" ? "" : ` text-anchor="${anchor}"`}${opacity !== undefined && opacity < 1 ? ` opacity="${n(opacity)}"` : ""}`;
    this.parts.push(`<text x="${n(x)}" y="${n(y + DROP * size)}" font-size="${n(size)}" fill="${escaped(color)}"${more}${around}>${escaped(text)}</text>`);
  }

  image(source: HTMLCanvasElement | ImageBitmap, x: number, y: number, width: number, height: number): void {
    this.parts.push(`<image x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" preserveAspectRatio="none" href="${this.contentOf(source)}"/>`);
  }

  scale(x: number, y: number, width: number, height: number, stops: readonly string[]): void {
    const id = `scale-${this.defs.length}`;
    const colors = stops.map((color, at) => `<stop offset="${n(at / (stops.length - 1))}" stop-color="${escaped(color)}"/>`).join("");
    this.defs.push(`<linearGradient id="${id}">${colors}</linearGradient>`);
    this.rect(x, y, width, height, `url(#${id})`);
  }

  clip(x: number, y: number, width: number, height: number): void {
    const id = `part-${this.defs.length}`;
    this.defs.push(`<clipPath id="${id}"><rect width="${n(width)}" height="${n(height)}"/></clipPath>`);
    this.parts.push(`<g transform="translate(${n(x)} ${n(y)})" clip-path="url(#${id})">`);
  }

  release(): void {
    this.parts.push("</g>");
  }

  /** The whole file: `width` × `height` pixels of a drawing that is as many units wide and high as `box` says. */
  file(width: number, height: number, box: readonly [number, number], title: string, description: string): string {
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(box[0])} ${n(box[1])}" font-family="${escaped(FONT)}">`,
      `<title>${escaped(title)}</title>`, `<desc>${escaped(description)}</desc>`,
      ...(this.defs.length ? [`<defs>${this.defs.join("")}</defs>`] : []), ...this.parts, "</svg>", "",
    ].join("\n");
  }

  private shape(how: string): void {
    if (this.path) this.parts.push(this.circle ? `<circle ${this.circle} ${how}/>` : `<path d="${this.path}" ${how}/>`);
  }

  private alpha(what: "fill" | "stroke"): string {
    return this.globalAlpha < 1 ? ` ${what}-opacity="${n(this.globalAlpha)}"` : "";
  }
}

/** A number with no more digits than one can see. */
function n(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** Text as it may stand in XML; characters that it may not hold are left out. */
export function escaped(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
