// The course of an episode: the value's curve and a strip of clusters, with the cursor that can be dragged.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import type { EpisodeData } from "../data/contract";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { clusterColor } from "../map/colors";
import { fit } from "../map/drawing";
import { decimal } from "../ui/format";

const CURVE = 54;
const STRIP = 14;
const GAP = 4;
const PAD = 5;

export function Timeline({ recording, data }: { recording: Recording; data: EpisodeData }): JSX.Element {
  const app = useApp();
  const { index, first, last } = useStore(app.player.store, (state) => state);
  const { dark } = useStore(app.look, (look) => look);
  const names = useStore(app.notesOf(recording.id).store, (state) => state.clusters);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const count = data.step.length;
  const height = CURVE + (data.cluster ? GAP + STRIP : 0);

  useEffect(() => {
    if (!box.current) return;
    const size = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    size.observe(box.current);
    return () => size.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width) draw(canvas.current, recording, data, width, height, first, last);
  }, [data, width, dark, first, last, names]);

  const go = (event: PointerEvent): void => {
    if (!box.current || (event.type === "pointermove" && !event.buttons)) return;
    const edge = box.current.getBoundingClientRect();
    if (event.type === "pointerdown") {
      box.current.setPointerCapture(event.pointerId);
      app.player.stop();
    }
    app.player.go(Math.floor(((event.clientX - edge.left) / edge.width) * count));
  };
  const cluster = data.cluster?.[index];
  const value = data.value[index];
  const said = `step ${data.step[index]}, value ${decimal(value)}${cluster === undefined ? "" : `, ${app.notesOf(recording.id).title(cluster)}`}`;
  return (
    <div
      id="timeline" class="timeline" ref={box} tabIndex={0} role="slider" aria-label="time in the episode" aria-valuemin={0}
      aria-valuemax={count - 1} aria-valuenow={index} aria-valuetext={said} style={{ height: `${height}px` }} onPointerDown={go}
      onPointerMove={go}
    >
      <canvas ref={canvas} />
      <i class="cursor" style={{ transform: `translateX(${((index + 0.5) / count) * width}px)` }} />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, recording: Recording, data: EpisodeData, width: number, height: number, first: number, last: number): void {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const context = fit(canvas, width, height, Math.min(window.devicePixelRatio || 1, 2));
  const count = data.step.length;
  const left = (index: number): number => (index / count) * width;
  const middle = (index: number): number => ((index + 0.5) / count) * width;
  const values = data.value.map((value) => value ?? 0);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = (value: number): number => CURVE - PAD - ((value - low) / Math.max(high - low, 1e-6)) * (CURVE - 2 * PAD);

  context.beginPath();
  context.moveTo(middle(0), CURVE);
  values.forEach((value, index) => context.lineTo(middle(index), y(value)));
  context.lineTo(middle(count - 1), CURVE);
  [context.fillStyle, context.globalAlpha] = [color("--accent"), 0.1];
  context.fill();
  context.globalAlpha = 1;
  context.beginPath();
  values.forEach((value, index) => (index ? context.lineTo(middle(index), y(value)) : context.moveTo(middle(0), y(value))));
  [context.strokeStyle, context.lineWidth, context.lineJoin] = [color("--accent"), 1.5, "round"];
  context.stroke();
  context.fillStyle = color("--ink-2");
  context.font = `10px ${getComputedStyle(document.body).fontFamily}`;
  context.textBaseline = "top";
  context.fillText(decimal(high), 3, 1);
  context.textBaseline = "alphabetic";
  context.fillText(decimal(low), 3, CURVE - 2);
  data.reward.forEach((reward, index) => {
    if (!reward) return;
    context.beginPath();
    context.arc(middle(index), y(values[index]), 3.2, 0, 2 * Math.PI);
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [color(reward > 0 ? "--good" : "--bad"), color("--sheet"), 1.5];
    context.fill();
    context.stroke();
  });
  const clusters = data.cluster;
  if (clusters) {
    for (let start = 0; start < count; ) {
      let end = start + 1;
      while (end < count && clusters[end] === clusters[start]) end++;
      context.fillStyle = clusterColor(recording, clusters[start]);
      context.fillRect(left(start), CURVE + GAP, Math.max(left(end) - left(start) - (end < count ? 0.75 : 0), 0.75), STRIP);
      start = end;
    }
  }
  if (first > 0 || last < count - 1) {
    [context.fillStyle, context.globalAlpha] = [color("--sheet"), 0.72];
    context.fillRect(0, 0, left(first), height);
    context.fillRect(left(last + 1), 0, width - left(last + 1), height);
    context.globalAlpha = 1;
  }
}
