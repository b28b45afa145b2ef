// Where each state stands on a contact sheet, so that only those in view are drawn, however many there are.

/** Browsers do not scroll over more pixels than this. */
export const MOST_SCROLLED = 8_000_000;
/** A jump of more than so many heights of the view is one along the scroll bar. */
const JUMP = 3;

export interface Layout {
  columns: number;
  /** Width and height of a place, with the gap after it. */
  width: number;
  height: number;
  /** Height of the line above a group; 0 without groups. */
  head: number;
  /** Where each group begins among the states. */
  starts: Uint32Array;
  /** Top of each group; and, last, the bottom of all. */
  tops: Float64Array;
}

export function layoutOf(starts: Uint32Array, room: number, place: { width: number; height: number; gap: number; head: number }): Layout {
  const width = place.width + place.gap;
  const height = place.height + place.gap;
  const columns = Math.max(Math.floor((room + place.gap) / width), 1);
  const tops = new Float64Array(starts.length);
  for (let group = 0; group + 1 < starts.length; group++) {
    tops[group + 1] = tops[group] + place.head + Math.ceil((starts[group + 1] - starts[group]) / columns) * height;
  }
  return { columns, width, height, head: place.head, starts, tops };
}

export function totalOf({ tops }: Layout): number {
  return tops[tops.length - 1] ?? 0;
}

/** The last group that begins at `wanted` or before it, in ascending numbers. */
function groupAt(ascending: ArrayLike<number>, wanted: number): number {
  let [low, high] = [0, Math.max(ascending.length - 2, 0)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ascending[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A part of a group that is in view. */
export interface Part {
  group: number;
  /** Top of its line, in view or not. */
  top: number;
  /** States from `first` to before `last`. */
  first: number;
  last: number;
}

export function inView(layout: Layout, top: number, bottom: number): Part[] {
  const { starts, tops, head, height, columns } = layout;
  const parts: Part[] = [];
  for (let group = groupAt(tops, top); group + 1 < starts.length && tops[group] < bottom; group++) {
    const above = tops[group] + head;
    const lines = Math.ceil((starts[group + 1] - starts[group]) / columns);
    const from = Math.min(Math.max(Math.floor((top - above) / height), 0), lines);
    const to = Math.min(Math.max(Math.ceil((bottom - above) / height), 0), lines);
    parts.push({ group, top: tops[group], first: starts[group] + from * columns, last: Math.min(starts[group] + to * columns, starts[group + 1]) });
  }
  return parts;
}

/** Where the state at a place of the order stands. */
export function placeOf({ starts, tops, head, height, width, columns }: Layout, at: number): { group: number; x: number; y: number } {
  const group = groupAt(starts, at);
  const offset = at - starts[group];
  return { group, x: (offset % columns) * width, y: tops[group] + head + Math.floor(offset / columns) * height };
}

/** The place that an arrow or another key leads to. */
export function moved(layout: Layout, at: number, key: string, view: number): number {
  const { starts, columns, height } = layout;
  const count = starts[starts.length - 1] ?? 0;
  const clamp = (place: number): number => Math.min(Math.max(place, 0), count - 1);
  const lines = Math.max(Math.floor(view / height), 1);
  switch (key) {
    case "ArrowLeft": return clamp(at - 1);
    case "ArrowRight": return clamp(at + 1);
    case "Home": return 0;
    case "End": return clamp(count - 1);
    case "ArrowUp": return line(layout, at, -1);
    case "ArrowDown": return line(layout, at, 1);
    case "PageUp": return clamp(at - lines * columns);
    case "PageDown": return clamp(at + lines * columns);
    default: return at;
  }
}

/** The place above or below another one, also where a shorter line or the line of another group is there. */
function line({ starts, columns }: Layout, at: number, by: 1 | -1): number {
  const group = groupAt(starts, at);
  const [first, end] = [starts[group], starts[group + 1]];
  const column = (at - first) % columns;
  const next = at + by * columns;
  if (next >= first && next < end) return next;
  const lastLine = first + Math.floor((end - 1 - first) / columns) * columns;
  if (by === 1 && at < lastLine) return end - 1;
  const other = group + by;
  if (other < 0 || other + 1 >= starts.length) return at;
  const [from, to] = [starts[other], starts[other + 1]];
  const begins = by === 1 ? from : from + Math.floor((to - 1 - from) / columns) * columns;
  return Math.min(begins + column, to - 1);
}

/** How far one has scrolled: `top` on the sheet, `bar` on the scroll bar, which may stand for a shorter way. */
export interface Scrolled {
  top: number;
  bar: number;
}

/** What follows when the scroll bar has moved: small moves are as long on the sheet, jumps go to the same share of it. */
export function scrolled({ top, bar }: Scrolled, now: number, total: number, view: number): Scrolled {
  const most = Math.max(total - view, 0);
  if (total <= MOST_SCROLLED) return { top: Math.min(Math.max(now, 0), most), bar: now };
  const mostOfBar = MOST_SCROLLED - view;
  const share = Math.min(Math.max(now / mostOfBar, 0), 1);
  const isJump = Math.abs(now - bar) > JUMP * view;
  const next = isJump ? share * most : Math.min(Math.max(top + now - bar, 0), most);
  // where the bar is at its end before the sheet is, or the other way round, it is put where it belongs
  const isAtEnd = now <= 0 || now >= mostOfBar;
  const isOff = isAtEnd && Math.abs(next - share * most) > 1;
  return { top: next, bar: isOff ? barOf(next, total, view) : now };
}

/** Where the scroll bar belongs when the sheet is at `top`. */
export function barOf(top: number, total: number, view: number): number {
  if (total <= MOST_SCROLLED) return top;
  return (top / Math.max(total - view, 1)) * (MOST_SCROLLED - view);
}
