// The histogram of a column of numbers: one drags over it, or moves its ends with keys, to keep a range.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import { type Bins, rangeFilter, shownNumber } from "../data/filter_bins";
import type { FilterColumn } from "../data/filter_columns";
import { allCounts } from "../data/filtered";
import type { Recording } from "../data/recording";
import { count, plural } from "../ui/format";
import { Button } from "../ui/parts";
import { withFilter } from "./filters";

const HEIGHT = 40;
/** Pixels from an end of the range within which a pointer moves that end. */
const GRIP = 7;

export interface ColumnShown {
  recording: Recording;
  column: FilterColumn;
  bins: Bins;
}

/** Whether each bin has a code that is chosen; null if all are. */
export function chosenBins({ of, count: number }: Bins, chosen: Uint8Array | null): Uint8Array | null {
  if (!chosen) return null;
  const found = new Uint8Array(number + 1);
  for (let code = 0; code < of.length; code++) if (chosen[code]) found[of[code]] = 1;
  return found;
}

export function RangeHistogram({ recording, column, bins }: ColumnShown): JSX.Element {
  const app = useApp();
  const plot = useRef<HTMLDivElement>(null);
  const drag = useRef<{ fixed: number; started: number; moved: boolean } | null>(null);
  const waiting = useRef(0);
  const [dragged, setDragged] = useState<[number, number] | null>(null);
  const { counts, chosen } = app.filtering.histogram(recording, column, bins);
  const all = allCounts(recording, column);
  const kept = chosenBins(bins, chosen);
  const edges = bins.edges as number[];
  const last = bins.count - 1;
  const [from, to] = dragged ?? [kept ? Math.max(kept.indexOf(1), 0) : 0, kept ? kept.lastIndexOf(1, last) : last];
  const isFiltered = kept !== null || dragged !== null;
  const total = sum(counts, bins.count);
  const shown = dragged ? inRange(bins.count, dragged) : kept;
  const missing = counts[bins.count];
  const number = shown ? (app.filtering.of(recording.id)?.count ?? total) : total;
  const range = dragged ? [from, to + 1].map((edge) => edges[edge]) : spreadOf(column, chosen);

  const preview = (low: number, high: number): void => {
    setDragged([low, high]);
    cancelAnimationFrame(waiting.current);
    waiting.current = requestAnimationFrame(() => app.filtering.set(withFilter(app, recording, column, rangeFilter(column, bins, low, high))));
  };
  const commit = (filter: string | null): void => {
    cancelAnimationFrame(waiting.current);
    setDragged(null);
    const filters = withFilter(app, recording, column, filter);
    app.filtering.set(filters);
    app.view.set({ filters });
  };
  const binAt = (event: PointerEvent): { bin: number; x: number; width: number } => {
    const edge = (plot.current as HTMLDivElement).getBoundingClientRect();
    const x = event.clientX - edge.left;
    return { bin: Math.min(Math.max(Math.floor((x / edge.width) * bins.count), 0), last), x, width: edge.width / bins.count };
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const { bin, x, width } = binAt(event);
    plot.current?.setPointerCapture(event.pointerId);
    const [atLow, atHigh] = [Math.abs(x - from * width), Math.abs(x - (to + 1) * width)];
    const grips = isFiltered && Math.min(atLow, atHigh) <= GRIP;
    drag.current = { fixed: grips ? (atLow < atHigh ? to : from) : bin, started: x, moved: grips };
  };
  const move = (event: PointerEvent): void => {
    const now = drag.current;
    if (!now) return;
    const { bin, x } = binAt(event);
    now.moved ||= Math.abs(x - now.started) > 3;
    if (now.moved) preview(Math.min(bin, now.fixed), Math.max(bin, now.fixed));
  };
  const up = (event: PointerEvent): void => {
    const now = drag.current;
    drag.current = null;
    if (!now) return;
    const { bin } = binAt(event);
    if (now.moved) commit(rangeFilter(column, bins, Math.min(bin, now.fixed), Math.max(bin, now.fixed)));
    else commit(kept ? null : rangeFilter(column, bins, bin, bin));
  };
  const cancel = (): void => {
    drag.current = null;
    cancelAnimationFrame(waiting.current);
    setDragged(null);
    app.filtering.set(app.view.get().filters);
  };
  const keyed = (isLow: boolean) => (event: KeyboardEvent): void => {
    const now = isLow ? from : to;
    const steps: Record<string, number> = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, Home: 0, End: last, PageUp: now + 5, PageDown: now - 5 };
    const isClear = event.key === "Delete" || event.key === "Backspace";
    if ((!isClear && steps[event.key] === undefined) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (isClear) return commit(null);
    const next = isLow ? Math.min(Math.max(steps[event.key], 0), to) : Math.max(Math.min(steps[event.key], last), from);
    commit(rangeFilter(column, bins, isLow ? next : from, isLow ? to : next));
  };

  const share = 100 / bins.count;
  const label = (bin: number): string => shownNumber(column, edges[bin]);
  const unknown = column.numUnknown ? `; ${plural(column.numUnknown, "state")} without one count as the lowest` : missing ? `; of ${plural(missing, "more state")} it is not known` : "";
  return (
    <figure class={`histogram filter-column ${isFiltered ? "filtered" : ""}`} data-column={column.name}>
      <figcaption title={`${column.name} of the ${plural(total, "state")} that pass the other filters${shown ? `, of which ${count(number)} are chosen` : ""}${unknown}`}>
        <b>{column.name}</b>
        <span class="grow" />
        <span class="n">n {count(number)}</span>
        {isFiltered && <Button icon="close" label={`Remove the filter of ${column.name}`} onClick={() => commit(null)} />}
      </figcaption>
      <div class="plot" ref={plot} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={cancel}>
        <Bars counts={counts} all={all} bins={bins} kept={shown} say={(bin) => `${label(bin)} to ${label(bin + 1)}`} name={column.name} />
        {isFiltered && <i class="range" style={{ left: `${from * share}%`, right: `${(last - to) * share}%` }} />}
        {[true, false].map((isLow) => (
          <span
            class={`grip ${isLow ? "low" : "high"}`} tabIndex={0} role="slider" aria-label={`${isLow ? "least" : "greatest"} ${column.name}`} aria-valuemin={0} aria-valuemax={bins.count}
            aria-valuenow={isLow ? from : to + 1} aria-valuetext={label(isLow ? from : to + 1)} style={isLow ? { left: `${from * share}%` } : { right: `${(last - to) * share}%` }}
            onKeyDown={keyed(isLow)}
          />
        ))}
      </div>
      <div class="ends"><span>{label(0)}</span>{range && <b>{range[0] === range[1] ? "" : `${roughly(column, range[0])} to `}{roughly(column, range[1])}</b>}<span>{label(bins.count)}</span></div>
    </figure>
  );
}

/** A number without the digits that come from how it is stored. */
function roughly(column: FilterColumn, number: number): string {
  return shownNumber(column, column.isWhole ? number : Number(number.toPrecision(3)));
}

/** Least and greatest number that a column's filters choose. */
function spreadOf(column: FilterColumn, chosen: Uint8Array | null): [number, number] | null {
  let [low, high] = [Infinity, -Infinity];
  chosen?.forEach((is, code) => {
    if (is) [low, high] = [Math.min(low, column.number(code)), Math.max(high, column.number(code))];
  });
  if (low > high) return null;
  return [Math.max(low, column.low), Math.min(high, column.high)];
}

export function sum(counts: Uint32Array, number: number): number {
  let total = 0;
  for (let bin = 0; bin < number; bin++) total += counts[bin];
  return total;
}

function inRange(number: number, [from, to]: readonly [number, number]): Uint8Array {
  return Uint8Array.from({ length: number }, (_, bin) => Number(bin >= from && bin <= to));
}

/** Bars of the states that pass the other filters, and those of all states as a line, each as shares of their sum. */
function Bars({ counts, all, bins, kept, say, name }: {
  counts: Uint32Array;
  all: Uint32Array;
  bins: Bins;
  kept: Uint8Array | null;
  say: (bin: number) => string;
  name: string;
}): JSX.Element {
  const [total, totalOfAll] = [Math.max(sum(counts, bins.count), 1), Math.max(sum(all, bins.count), 1)];
  const width = 100 / bins.count;
  let most = 1e-9;
  for (let bin = 0; bin < bins.count; bin++) most = Math.max(most, counts[bin] / total, all[bin] / totalOfAll);
  const top = (share: number): number => HEIGHT - (share / most) * (HEIGHT - 1);
  const each = Array.from({ length: bins.count }, (_, bin) => bin);
  const steps = each.map((bin) => `${bin ? "L" : "M"}${bin * width} ${top(all[bin] / totalOfAll)}H${(bin + 1) * width}`).join("");
  return (
    <svg viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`distribution of ${name}`}>
      {each.map((bin) => {
        const share = counts[bin] / total;
        return <rect class={!kept || kept[bin] ? "in" : "out"} x={bin * width} width={width * 0.9} y={top(share)} height={HEIGHT - top(share)} />;
      })}
      <path d={steps} vector-effect="non-scaling-stroke" />
      {each.map((bin) => (
        <rect class="hit" x={bin * width} width={width} y={0} height={HEIGHT}><title>{`${say(bin)}: ${count(counts[bin])} of ${count(all[bin])} states`}</title></rect>
      ))}
    </svg>
  );
}
