// A state on the contact sheet: its picture, or the numbers that the agent sees, and a line or two below it.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import { Gathered } from "../data/gathered";
import type { Recording } from "../data/recording";
import { clusterColor, clusterInk } from "../map/colors";
import { short } from "../ui/format";

/** While one scrolls past, nothing is fetched. */
const REST_MS = 40;
const LINE = 13;
export const LEAST_WITH_TEXT = 64;

export interface TileText {
  first: string;
  second: string | null;
}

export function Tile({ recording, row, at, of, size, height, x, y, text, tags, chosen, active, title }: {
  recording: Recording;
  row: number;
  at: number;
  of: number;
  size: number;
  height: number;
  x: number;
  y: number;
  text: TileText | null;
  tags: string;
  chosen: boolean;
  active: boolean;
  title: string;
}): JSX.Element {
  const cluster = recording.get("cluster")?.[recording.indexOf(row)];
  return (
    <div
      role="option" id={`sheet-${at}`} class={`tile ${active ? "active" : ""}`} aria-selected={chosen} aria-setsize={of} aria-posinset={at + 1} title={title}
      data-at={at} data-row={row} style={{ transform: `translate(${x}px, ${y}px)`, width: `${size}px` }}
    >
      <span class="sr">{title}</span>
      <div class="tile-picture" aria-hidden="true" style={{ height: `${height}px` }}>
        {recording.meta.has_frames ? <TilePicture recording={recording} row={row} width={size} height={height} /> : <TileNumbers recording={recording} row={row} lines={Math.floor((height - 6) / LINE)} />}
        {cluster !== undefined && <i class="edge" style={{ background: clusterColor(recording, cluster) }} />}
        {cluster !== undefined && size >= LEAST_WITH_TEXT && <b class="tile-badge" style={{ background: clusterColor(recording, cluster), color: clusterInk(recording, cluster) }}>{cluster}</b>}
        {tags && <span class="tile-tag">{size >= LEAST_WITH_TEXT ? tags : "•"}</span>}
      </div>
      {text && <span class="tile-text" aria-hidden="true">{text.first}</span>}
      {text?.second && <span class="tile-text faint" aria-hidden="true">{text.second}</span>}
    </div>
  );
}

function TilePicture({ recording, row, width, height }: { recording: Recording; row: number; width: number; height: number }): JSX.Element {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let current = true;
    const show = (bitmap: ImageBitmap | null): void => {
      if (current && canvas.current) fill(canvas.current, bitmap, width, height);
    };
    const timer = setTimeout(() => app.frames.get(recording.id)?.getGathered(row).then(show, () => show(null)), REST_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [recording, row, width, height]);
  return <><canvas ref={canvas} /><span class="missing">no frame</span></>;
}

/** Draw a picture as large as it is shown: many are in memory at once. */
function fill(canvas: HTMLCanvasElement, bitmap: ImageBitmap | null, width: number, height: number): void {
  canvas.dataset.state = bitmap ? "shown" : "missing";
  const density = Math.min(window.devicePixelRatio || 1, 2);
  [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
  const context = canvas.getContext("2d");
  if (!bitmap || !context) return;
  const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const [wide, high] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (canvas.width - wide) / 2, (canvas.height - high) / 2, wide, high);
}

const observations = new WeakMap<Recording, Gathered<(number | null)[]>>();

function TileNumbers({ recording, row, lines }: { recording: Recording; row: number; lines: number }): JSX.Element {
  const app = useApp();
  const [numbers, setNumbers] = useState<(number | null)[] | null>(null);
  const { observation_names } = recording.meta;
  useEffect(() => {
    if (!observation_names.length) return;
    let current = true;
    const known = observations.get(recording) ?? new Gathered((rows) => app.source.observationsOf(recording.id, rows));
    observations.set(recording, known);
    const timer = setTimeout(() => known.get(row).then((found) => current && setNumbers(found), () => undefined), REST_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [recording, row]);
  if (!observation_names.length) return <span class="tile-numbers lone">{row.toLocaleString("en")}</span>;
  return (
    <span class="tile-numbers">
      {observation_names.slice(0, Math.max(lines, 1)).map((name, at) => <span key={name}><span class="name">{name}</span><span>{numbers ? short(numbers[at] === null ? null : Number(numbers[at]?.toPrecision(3))) : "…"}</span></span>)}
    </span>
  );
}
