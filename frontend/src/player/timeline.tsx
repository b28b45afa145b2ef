// The course of an episode: the value's curve (or the reward's), those of the action's parts, and a strip of clusters,
// with the cursor that can be dragged.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import type { EpisodeData } from "../data/contract";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { clusterColor } from "../map/colors";
import { fit } from "../map/drawing";
import { decimal } from "../ui/format";
import { Button } from "../ui/parts";

const CURVE = 54;
const STRIP = 14;
const GAP = 4;
const PAD = 5;
/** Of a line with a curve's name and numbers, above the curve. */
const CAPTION = 15;
/** Height of the curve of a part of the action, where there are few of them and where there are more. */
const [PART, LOW_PART] = [44, 34];
const FEW_PARTS = 2;
const MOST_PARTS = 6;
const MOST_MARKED = 0.5;

export function Timeline({ recording, data }: { recording: Recording; data: EpisodeData }): JSX.Element {
  const app = useApp();
  const { index, first, last } = useStore(app.player.store, (state) => state);
  const { dark } = useStore(app.look, (look) => look);
  const mask = useStore(app.filtering.store, (filtered) => filtered[recording.id]?.mask ?? null);
  const names = useStore(app.notesOf(recording.id).store, (state) => state.clusters);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const count = data.step.length;
  const { action_parts, num_action_parts, reward_known } = recording.meta;
  const [all, setAll] = useState(false);
  const shown = all ? action_parts.length : Math.min(action_parts.length, MOST_PARTS);
  const part = shown > FEW_PARTS ? LOW_PART : PART;
  const parts = CAPTION + CURVE;
  const layout: Layout = { part, parts, strip: parts + shown * part, height: parts + shown * part + (data.cluster ? GAP + STRIP : 0) };

  useEffect(() => {
    if (!box.current) return;
    const size = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    size.observe(box.current);
    return () => size.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width) draw(canvas.current, recording, data, width, layout, first, last, mask);
  }, [data, width, dark, first, last, names, shown, mask]);

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
  const value = data.value ? `, value ${decimal(data.value[index])}` : reward_known ? `, reward ${decimal(data.reward[index])}` : "";
  const said = `step ${data.step[index]}${value}${cluster === undefined ? "" : `, ${app.notesOf(recording.id).title(cluster)}`}`;
  return (
    <>
    <div
      id="timeline" class="timeline" ref={box} tabIndex={0} role="slider" aria-label="time in the episode" aria-valuemin={0}
      aria-valuemax={count - 1} aria-valuenow={index} aria-valuetext={said} style={{ height: `${layout.height}px` }} onPointerDown={go}
      onPointerMove={go}
    >
      <canvas ref={canvas} />
      {(data.value || reward_known) && <Course top={0} name={data.value ? "value" : "reward"} course={data.value ?? data.reward} index={index} />}
      {action_parts.slice(0, shown).map(({ name }, at) => (
        <Course top={layout.parts + at * part} name={name} course={data.action_parts[at] ?? []} index={index} />
      ))}
      <i class="cursor" style={{ transform: `translateX(${((index + 0.5) / count) * width}px)` }} />
    </div>
    {mask && <StepsLeft recording={recording} data={data} mask={mask} />}
    {num_action_parts > MOST_PARTS && (
      <p class="more-parts">
        <Button label="Show the curves of more parts of the action" class="labelled" pressed={all} onClick={() => setAll(!all)}>
          {all ? "fewer curves" : `${action_parts.length - MOST_PARTS} more curves`}
        </Button>
        {all && num_action_parts > action_parts.length && <span class="faint">the first {action_parts.length} of {num_action_parts} parts of the action</span>}
      </p>
    )}
    </>
  );
}

function StepsLeft({ recording, data, mask }: { recording: Recording; data: EpisodeData; mask: Uint8Array }): JSX.Element {
  const left = leftOut(recording, data, mask).reduce((sum, [from, to]) => sum - (to - from), data.step.length);
  return <p class="steps-left faint" role="status">{left} of {data.step.length} steps pass the filter</p>;
}

/** A curve's name and the number under the cursor; its least and greatest number. */
function Course({ top, name, course, index }: { top: number; name: string; course: readonly (number | null)[]; index: number }): JSX.Element {
  const known = course.filter((value) => value !== null);
  return (
    <p class="course" style={{ top: `${top}px`, height: `${CAPTION}px` }}>
      <span>{name} <b>{decimal(course[index])}</b></span>
      {known.length > 0 && <span>{decimal(Math.min(...known))} to {decimal(Math.max(...known))}</span>}
    </p>
  );
}

/** Whether most steps are rewarded, so that a reward is no event. */
export function isDense(reward: readonly number[]): boolean {
  return reward.filter((one) => one !== 0).length > reward.length * MOST_MARKED;
}

interface Layout {
  /** Height of the curve of a part of the action. */
  part: number;
  /** Tops of what lies below the first curve. */
  parts: number;
  strip: number;
  height: number;
}

function draw(canvas: HTMLCanvasElement, recording: Recording, data: EpisodeData, width: number, layout: Layout, first: number, last: number, mask: Uint8Array | null): void {
  const { height } = layout;
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const context = fit(canvas, width, height, Math.min(window.devicePixelRatio || 1, 2));
  const count = data.step.length;
  const left = (index: number): number => (index / count) * width;
  const middle = (index: number): number => ((index + 0.5) / count) * width;
  const values = (data.value ?? data.reward).map((value) => value ?? 0);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const floor = CAPTION + CURVE;
  const y = (value: number): number => floor - PAD - ((value - low) / Math.max(high - low, 1e-6)) * (CURVE - 2 * PAD);

  context.beginPath();
  context.moveTo(middle(0), floor);
  values.forEach((value, index) => context.lineTo(middle(index), y(value)));
  context.lineTo(middle(count - 1), floor);
  [context.fillStyle, context.globalAlpha] = [color("--accent"), 0.1];
  context.fill();
  context.globalAlpha = 1;
  context.beginPath();
  values.forEach((value, index) => (index ? context.lineTo(middle(index), y(value)) : context.moveTo(middle(0), y(value))));
  [context.strokeStyle, context.lineWidth, context.lineJoin] = [color("--accent"), 1.5, "round"];
  context.stroke();
  drawParts(context, recording, data, width, layout, color);
  // where most steps are rewarded, marks would hide the curve
  const marked = data.value !== null && !isDense(data.reward);
  data.reward.forEach((reward, index) => {
    if (!reward || !marked) return;
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
      context.fillRect(left(start), layout.strip + GAP, Math.max(left(end) - left(start) - (end < count ? 0.75 : 0), 0.75), STRIP);
      start = end;
    }
  }
  if (mask) {
    [context.fillStyle, context.globalAlpha] = [color("--sheet"), 0.78];
    for (const [from, to] of leftOut(recording, data, mask)) context.fillRect(left(from), CAPTION, left(to) - left(from), height);
    context.globalAlpha = 1;
  }
  if (first > 0 || last < count - 1) {
    [context.fillStyle, context.globalAlpha] = [color("--sheet"), 0.72];
    context.fillRect(0, CAPTION, left(first), height);
    context.fillRect(left(last + 1), CAPTION, width - left(last + 1), height);
    context.globalAlpha = 1;
  }
}

/** Runs of steps that do not pass the filters, each with the step after its last. */
function leftOut(recording: Recording, data: EpisodeData, mask: Uint8Array): [number, number][] {
  const runs: [number, number][] = [];
  data.step.forEach((_, offset) => {
    const index = recording.indexOf(data.first_row + offset);
    if (index < 0 || mask[index]) return;
    const last = runs[runs.length - 1];
    if (last?.[1] === offset) last[1]++;
    else runs.push([offset, offset + 1]);
  });
  return runs;
}

/** The course of each part of the action, between its bounds, or its least and greatest value where it has none. */
function drawParts(
  context: CanvasRenderingContext2D, recording: Recording, data: EpisodeData, width: number, layout: Layout, color: (name: string) => string,
): void {
  const middle = (index: number): number => ((index + 0.5) / data.step.length) * width;
  const shown = (layout.strip - layout.parts) / layout.part;
  data.action_parts.slice(0, shown).forEach((course, at) => {
    const known = course.filter((value) => value !== null);
    const { low, high } = recording.meta.action_parts[at];
    const [least, most] = [Math.min(low ?? Infinity, ...known), Math.max(high ?? -Infinity, ...known)];
    const bottom = layout.parts + (at + 1) * layout.part - 2;
    const y = (value: number): number => bottom - ((value - least) / Math.max(most - least, 1e-6)) * (layout.part - CAPTION - 5);
    context.strokeStyle = color("--line");
    context.lineWidth = 1;
    context.strokeRect(0, bottom + 1.5, width, 0);
    if (least < 0 && most > 0) {
      context.setLineDash([2, 3]);
      context.strokeRect(0, Math.round(y(0)) + 0.5, width, 0);
      context.setLineDash([]);
    }
    context.beginPath();
    course.forEach((value, index) => value !== null && context.lineTo(middle(index), y(value)));
    [context.strokeStyle, context.lineWidth, context.lineJoin] = [color("--accent"), 1.25, "round"];
    context.stroke();
  });
}
