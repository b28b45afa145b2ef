// The contact sheet itself: places for all states, of which only those in view are drawn; chosen with pointer and keys.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import { type Choice, choose, chooseAll, type How } from "../data/choice";
import type { Recording } from "../data/recording";
import { barOf, inView, layoutOf, moved, MOST_SCROLLED, placeOf, type Scrolled, scrolled, totalOf } from "../data/sheet_layout";
import type { Items } from "./sheet";
import { LEAST_WITH_TEXT, Tile, type TileText } from "./sheet_tile";

const [GAP, HEAD, LINE, MARGIN] = [6, 30, 15, 3];
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
/** Above and below what is in view, so much of its height is drawn too. */
const AHEAD = 0.5;

export function SheetGrid({ recording, items, size, lines, choice, setChoice, textOf, tagsAt, titleOf, headOf, play }: {
  recording: Recording;
  items: Items;
  size: number;
  /** Lines below each picture. */
  lines: number;
  choice: Choice;
  setChoice: (choice: Choice) => void;
  textOf: (row: number) => TileText;
  tagsAt: (row: number) => string;
  titleOf: (row: number) => string;
  headOf: (group: number) => JSX.Element;
  play: (row: number) => void;
}): JSX.Element {
  const app = useApp();
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState<{ width: number; height: number }>({ width: 0, height: 0 });
  const [at, setAt] = useState<Scrolled>({ top: 0, bar: 0 });
  const place = useRef(at);
  const [frameHeight, frameWidth] = recording.meta.frame_shape;
  const side = sideOf(size, room.width - 2 * MARGIN);
  const height = Math.round(recording.meta.has_frames ? Math.min((side * frameHeight) / frameWidth, 1.5 * side) : side);
  const shownLines = size >= LEAST_WITH_TEXT ? lines : 0;
  const layout = layoutOf(items.starts, room.width - 2 * MARGIN, { width: side, height: height + shownLines * LINE, gap: GAP, head: items.groups.length ? HEAD : 0 });
  const total = totalOf(layout) + MARGIN;
  const before = useRef({ items, layout });

  const go = (next: Scrolled): void => {
    place.current = next;
    setAt(next);
    if (box.current && Math.abs(box.current.scrollTop - next.bar) > 0.5) box.current.scrollTop = next.bar;
  };
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const measure = new ResizeObserver(() => setRoom({ width: target.clientWidth, height: target.clientHeight }));
    measure.observe(target);
    return () => measure.disconnect();
  }, []);
  // other states: from the start; the same at another size: what was at the top stays there
  useLayoutEffect(() => {
    const was = before.current;
    before.current = { items, layout };
    if (was.items !== items && !sameRows(was.items.rows, items.rows)) go({ top: 0, bar: 0 });
    else if (was.layout.columns !== layout.columns || was.layout.height !== layout.height || was.layout.head !== layout.head) {
      const [first] = inView(was.layout, place.current.top, place.current.top + was.layout.height);
      const top = first && place.current.top > 0 ? Math.min(placeOf(layout, first.first).y, Math.max(total - room.height, 0)) : 0;
      go({ top, bar: barOf(top, total, room.height) });
    }
  }, [items, layout.columns, layout.height, layout.head]);

  const onScroll = (): void => {
    if (box.current) go(scrolled(place.current, box.current.scrollTop, total, room.height));
  };
  const show = (index: number): void => {
    const { y } = placeOf(layout, index);
    const { top } = place.current;
    const next = y < top ? Math.max(y - layout.head, 0) : y + layout.height > top + room.height ? y + layout.height - room.height : top;
    if (next !== top) go({ top: next, bar: barOf(next, total, room.height) });
  };
  const onClick = (event: MouseEvent): void => {
    const tile = (event.target as HTMLElement).closest<HTMLElement>("[role=option]");
    if (!tile) return;
    const index = Number(tile.dataset.at);
    const how: How = event.shiftKey ? "extend" : event.ctrlKey || event.metaKey ? "toggle" : "one";
    setChoice(choose(choice, index, how));
    if (how === "one") play(items.rows[index]);
  };
  const onKey = (event: KeyboardEvent): void => {
    const { key } = event;
    const control = event.ctrlKey || event.metaKey;
    if (control && key.toLowerCase() === "a") setChoice(chooseAll(choice));
    else if (KEYS.includes(key) && !event.altKey && items.rows.length) {
      const next = choice.active < 0 ? 0 : moved(layout, choice.active, key, room.height);
      setChoice(control ? { ...choice, active: next } : choose(choice, next, event.shiftKey ? "extend" : "one"));
      show(next);
    } else if (key === " " && control && choice.active >= 0) setChoice(choose(choice, choice.active, "toggle"));
    else if (key === "Enter" && choice.active >= 0) play(items.rows[choice.active]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const point = (event: PointerEvent | null): void => {
    const tile = (event?.target as HTMLElement | undefined)?.closest<HTMLElement>("[role=option]");
    const index = tile ? recording.indexOf(Number(tile.dataset.row)) : -1;
    app.hover.set(index < 0 ? { rec: null, index: -1, rested: false } : { rec: recording.id, index, rested: false });
  };
  useEffect(() => () => point(null), []);

  const ahead = AHEAD * room.height;
  const parts = room.height ? inView(layout, Math.max(at.top - ahead, 0), at.top + room.height + ahead) : [];
  const isDrawn = parts.some(({ first, last }) => choice.active >= first && choice.active < last);
  const shift = at.bar - at.top + MARGIN;
  const several = items.groups.length > 0;
  const tiles = (first: number, last: number): JSX.Element[] => Array.from({ length: last - first }, (_, offset) => {
    const index = first + offset;
    const row = items.rows[index];
    const { x, y } = placeOf(layout, index);
    return (
      <Tile
        key={`${row} ${index}`} recording={recording} row={row} at={index} of={items.rows.length} size={side} height={height} x={x + MARGIN} y={y + shift}
        text={shownLines ? textOf(row) : null} tags={tagsAt(row)} title={titleOf(row)} chosen={choice.marks[index] === 1} active={choice.active === index}
      />
    );
  });
  return (
    <div
      class="sheet" ref={box} role="listbox" aria-multiselectable="true" aria-label="states" tabIndex={0} onScroll={onScroll} onClick={onClick} onKeyDown={onKey}
      aria-activedescendant={isDrawn ? `sheet-${choice.active}` : undefined} onPointerOver={point} onPointerLeave={() => point(null)}
    >
      <div class="sheet-length" role="presentation" style={{ height: `${Math.min(total, MOST_SCROLLED)}px` }}>
        {parts.map(({ group, top, first, last }) => several ? (
          <div role="group" aria-labelledby={`sheet-group-${group}`} key={group}>
            <p class="sheet-head" role="presentation" id={`sheet-group-${group}`} style={{ transform: `translateY(${top + shift}px)`, height: `${HEAD}px` }}>{headOf(group)}</p>
            {tiles(first, last)}
          </div>
        ) : tiles(first, last))}
      </div>
    </div>
  );
}

/** The side that a picture gets: at least `size`, and so that a line of them fills the room. */
function sideOf(size: number, room: number): number {
  const columns = Math.max(Math.floor((room + GAP) / (size + GAP)), 1);
  return Math.max(Math.floor((room + GAP) / columns) - GAP, 1);
}

function sameRows(one: Uint32Array, other: Uint32Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
