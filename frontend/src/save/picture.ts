// The view as a picture of any size: the maps with what is on them, and their legend.
import type { App } from "../app";
import { colorTitle } from "../map/colors";
import { colorsOfTheme } from "../map/ink";
import { canvasSurface } from "./canvas_surface";
import { layLegend } from "./legend_picture";
import { areCircles, prepareMap } from "./map_picture";
import type { Surface } from "./surface";
import { SvgSurface } from "./svg_surface";

export const LEAST_SIDE = 100;
export const MOST_SIDE = 8000;

export interface PictureChoice {
  kind: "png" | "svg";
  /** Pixels. */
  width: number;
  height: number;
  dark: boolean;
  transparent: boolean;
  legend: boolean;
}

/** Width and height of the maps as they are shown, in pixels of the page. */
export function shownSize(app: App): [number, number] {
  const cameras = [...app.maps.values()].map(({ camera }) => camera);
  return [cameras.reduce((sum, { width }) => sum + width, 0), Math.max(...cameras.map(({ height }) => height), 1)];
}

/** What an SVG holds besides shapes and text. */
export function aboutSvg(app: App): string {
  return areCircles(app) ? "Text is text and points are circles: everything can be edited." : "There are many points: they are one image in the file; all else is text and shapes that can be edited.";
}

export async function makePicture(app: App, choice: PictureChoice): Promise<Blob> {
  const { width, height } = choice;
  const [shownWidth, shownHeight] = shownSize(app);
  const scale = Math.min(width / shownWidth, height / shownHeight);
  const box: [number, number] = [width / scale, height / scale];
  const draw = await prepare(app, choice, box, scale);
  if (choice.kind === "svg") {
    const surface = new SvgSurface(contentOf);
    draw(surface);
    const { plane, color, filters } = app.view.get();
    const names = app.recordings.map(({ meta }) => meta.name ?? meta.title).join(" and ");
    const filtered = filters.length ? `; filter: ${filters.join(" and ")}` : "";
    const about = `${app.recordings[0].plane(plane)?.title ?? plane}, coloured by ${colorTitle(app.recordings, color)}${filtered}. Made with semantic-rl.`;
    return new Blob([surface.file(width, height, box, names, about)], { type: "image/svg+xml" });
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  draw(canvasSurface(canvas, scale));
  const found = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!found) throw new Error(`This browser cannot make a picture of ${width} × ${height} pixels; choose a smaller one.`);
  return found;
}

async function prepare(app: App, { dark, transparent, legend }: PictureChoice, [width, height]: [number, number], scale: number): Promise<(surface: Surface) => void> {
  const colors = colorsOfTheme(dark);
  const maps = [...app.maps.values()];
  const each = width / maps.length;
  const legends = maps.map(({ recording }) => layLegend(app, recording, each, dark, colors));
  const below = legend ? Math.max(...legends.map((one) => one.height)) : 0;
  const room = Math.max(height - below, 1);
  const several = maps.length > 1;
  const drawn = await Promise.all(maps.map((map) => {
    const { id, meta } = map.recording;
    return prepareMap({ app, map, width: each, height: room, scale, dark, title: several ? `${id.toUpperCase()}  ${meta.name ?? meta.title}` : null });
  }));
  return (surface) => {
    if (!transparent) surface.rect(0, 0, width, height, colors.ink.paper);
    drawn.forEach((draw, at) => {
      surface.clip(at * each, 0, each, room);
      draw(surface);
      surface.release();
      if (!below) return;
      surface.clip(at * each, room, each, below);
      legends[at].draw(surface);
      surface.release();
    });
  };
}

/** An image as the address of its content. */
function contentOf(source: HTMLCanvasElement | ImageBitmap): string {
  if (source instanceof HTMLCanvasElement) return source.toDataURL("image/png");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [source.width, source.height];
  canvas.getContext("2d")?.drawImage(source, 0, 0);
  return canvas.toDataURL("image/png");
}
