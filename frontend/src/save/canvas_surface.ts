// A picture drawn in pixels.
import { fontOf, type Lettering, type Surface } from "./surface";

/** A canvas as a surface whose unit is `scale` pixels. */
export function canvasSurface(canvas: HTMLCanvasElement, scale: number): Surface {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(scale, scale);
  context.imageSmoothingQuality = "high";
  const rest = {
    group: () => undefined,
    end: () => undefined,
    rect(x: number, y: number, width: number, height: number, fill: string, radius = 0, opacity = 1): void {
      context.globalAlpha = opacity;
      context.fillStyle = fill;
      context.beginPath();
      context.roundRect(x, y, width, height, radius);
      context.fill();
      context.globalAlpha = 1;
    },
    text(x: number, y: number, text: string, how: Lettering): void {
      context.globalAlpha = how.opacity ?? 1;
      [context.font, context.textAlign, context.textBaseline, context.lineJoin] = [fontOf(how), ALIGNED[how.anchor ?? "start"], "alphabetic", "round"];
      if (how.halo) {
        [context.strokeStyle, context.lineWidth] = [how.halo, 4];
        context.strokeText(text, x, y + DROP * how.size);
      }
      context.fillStyle = how.color;
      context.fillText(text, x, y + DROP * how.size);
      context.globalAlpha = 1;
    },
    image: (source: CanvasImageSource, x: number, y: number, width: number, height: number) => context.drawImage(source, x, y, width, height),
    scale(x: number, y: number, width: number, height: number, stops: readonly string[]): void {
      const gradient = context.createLinearGradient(x, 0, x + width, 0);
      stops.forEach((color, at) => gradient.addColorStop(at / (stops.length - 1), color));
      context.fillStyle = gradient;
      context.fillRect(x, y, width, height);
    },
    clip(x: number, y: number, width: number, height: number): void {
      context.save();
      context.translate(x, y);
      context.beginPath();
      context.rect(0, 0, width, height);
      context.clip();
    },
    release: () => context.restore(),
  };
  return new Proxy(context, {
    get: (_, name) => {
      if (name in rest) return rest[name as keyof typeof rest];
      const found = context[name as keyof CanvasRenderingContext2D];
      return typeof found === "function" ? found.bind(context) : found;
    },
    set: (_, name, value) => Reflect.set(context, name, value, context),
  }) as unknown as Surface;
}

const ALIGNED = { start: "left", middle: "center", end: "right" } as const;
/** From the middle of letters to the line that they stand on, as a share of their size. */
export const DROP = 0.35;
