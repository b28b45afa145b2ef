// The strips of several episodes on one canvas, a row each.
import { pointsOfEpisode } from "../data/episode_order";
import type { Recording } from "../data/recording";
import { fit } from "../map/drawing";
import { paintStrip, type Shades } from "../map/strips";

/** Heights of a row and of the strip in it, in pixels: as in episodes.css. */
export const ROW = 24;
const STRIP = 14;

/** Draw the strips of the episodes `shown`, each as wide as `widthOf` says and at most as wide as there is room. */
export function drawStrips(canvas: HTMLCanvasElement, recording: Recording, shown: Uint32Array, room: number, widthOf: (episode: number) => number, shades: Shades): void {
  if (!recording.episodes || !shown.length) return;
  const density = Math.min(window.devicePixelRatio || 1, 2);
  const context = fit(canvas, room, shown.length * ROW, density);
  const { first_row, num_rows } = recording.episodes;
  const most = Math.ceil(room * density);
  const pixels = new ImageData(most, shown.length);
  shown.forEach((episode, row) => {
    const [first, end] = pointsOfEpisode(recording, episode);
    const width = Math.max(Math.round(widthOf(episode) * density), 1);
    const offset = (index: number): number => recording.rowOf(index) - first_row[episode];
    paintStrip(pixels.data.subarray(4 * row * most, 4 * (row + 1) * most), Math.min(width, most), { first, end, numRows: num_rows[episode], offset }, shades);
  });
  const lines = new OffscreenCanvas(most, shown.length);
  lines.getContext("2d")?.putImageData(pixels, 0, 0);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.imageSmoothingEnabled = false;
  const track = getComputedStyle(document.documentElement).getPropertyValue("--line-2").trim();
  shown.forEach((episode, row) => {
    const [top, height] = [Math.round((row * ROW + (ROW - STRIP) / 2) * density), Math.round(STRIP * density)];
    const width = Math.min(Math.max(Math.round(widthOf(episode) * density), 1), most);
    context.fillStyle = track;
    context.fillRect(0, top, width, height);
    context.drawImage(lines, 0, row, width, 1, 0, top, width, height);
  });
  performance.mark("strips-drawn");
}
