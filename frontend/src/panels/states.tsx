// The panel of states: a contact sheet of what passes the filter, a lasso, a cluster or a list, or of what is near to one state.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useApp } from "../app";
import { carried, type Choice, chooseAll, chosenRows, nothing } from "../data/choice";
import { shownNumber } from "../data/filter_bins";
import type { FilterColumn } from "../data/filter_columns";
import type { Recording } from "../data/recording";
import { sentence, useStore } from "../data/store";
import { TAG, tagsOf } from "../data/tags";
import { decimal, plural, short } from "../ui/format";
import { Button, Problem, Waiting } from "../ui/parts";
import { useNear } from "./near";
import { Pair, placeSaid, whereSaid } from "./pair";
import { type Items, itemsOf } from "./sheet";
import { SheetControls, SheetSize } from "./sheet_controls";
import { SheetGrid } from "./sheet_grid";
import type { TileText } from "./sheet_tile";
import { TagBar } from "./tag_bar";

const NOT_EXPORTED = "Near in the plane; features, and the frames of all states, are not in this file.";

export function StatesPanel({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  const sheet = useStore(app.view, (view) => view.sheet);
  const plane = useStore(app.view, (view) => view.plane);
  const row = sheet.of.kind === "near" && sheet.of.row < recording.meta.num_states ? sheet.of.row : null;
  const asked = useNear(recording, row, app.source.live ? sheet.by : "plane", sheet.among, plane);
  const { items, error } = useItems(recording, asked.near);
  const column = useColumn(recording, sheet.sort);
  const [choice, setChoice] = useChoice(items);
  const rows = useMemo(() => (items ? chosenRows(choice, items.rows) : new Uint32Array(0)), [items, choice]);
  const chosen = rows.length === 1 ? rows[0] : null;
  const rowsToTag = useMemo(() => (rows.length || row === null ? rows : Uint32Array.of(row)), [rows, row]);
  useStore(app.notesOf(recording.id).store, (state) => state.tags);
  useStore(app.look, (look) => look.arrived); // columns have come
  if (!recording.meta.num_states) return <p class="empty-state">This recording has no states.</p>;
  const { episodes } = recording;
  const where = (at: number): string => whereSaid(recording, at);
  const textOf = (at: number): TileText => {
    const place = placeSaid(recording, at);
    if (items?.distances) return { first: distanceSaid(items.distances.get(at)), second: place };
    return { first: column && column.name === sheet.sort ? valueSaid(column, recording.indexOf(at)) : place, second: null };
  };
  const tagsAt = (at: number): string => tagsOf(recording, recording.indexOf(at)).join(", ");
  const titleOf = (at: number): string => {
    const cluster = recording.get("cluster")?.[recording.indexOf(at)];
    const far = items?.distances?.get(at);
    const value = column && column.name === sheet.sort && !["episode", "step", "cluster", "tag"].includes(column.name) ? `, ${column.name} ${valueSaid(column, recording.indexOf(at))}` : "";
    return `${far === undefined ? "" : `distance ${distanceSaid(far)}, `}${where(at)}${cluster === undefined ? "" : `, cluster ${cluster}`}${value}${tagsAt(at) && `, tagged ${tagsAt(at)}`}`;
  };
  const headOf = (group: number): JSX.Element => {
    const key = items?.groups[group] ?? 0;
    const states = items ? items.starts[group + 1] - items.starts[group] : 0;
    if (sheet.group === "level") return <><b>{recording.meta.level_word ?? "level"} {key}</b> <span class="faint">{plural(states, "state")}</span></>;
    const success = recording.meta.success_known ? episodes?.success[key] : undefined;
    return <><b>episode {key}</b> <span class="faint">{recording.meta.reward_known && `return ${short(episodes?.episode_return[key])}, `}{success != null && (success ? "success, " : "no success, ")}{plural(states, "state")}</span></>;
  };
  const play = (at: number): void => void app.openRow(recording.id, at);
  const isWaiting = asked.progress !== null;
  const isNone = items !== null && items.rows.length === 0;
  return (
    <div class="states">
      <SheetControls recording={recording} />
      {row !== null && (
        <div class="near-head">
          <Pair recording={recording} row={row} other={chosen} names={["this state", "the chosen one"]} brief />
          {chosen === null && <p class="faint">The states nearest to this one. Choose one of them to see what differs.</p>}
        </div>
      )}
      {(error ?? asked.error) && <Problem text={error ?? asked.error ?? ""} />}
      {isWaiting && <div class="searching"><Waiting text={`Looking through all states${asked.progress ? `: ${Math.round(100 * asked.progress)}%` : "…"}`} /><Button label="Stop the search" class="labelled" onClick={asked.stop}>stop</Button></div>}
      {items && !isWaiting && !asked.error && (
        <>
          <div class="sheet-line">
          <p class="sheet-count faint" role="status">
            <span data-states={items.rows.length}>{plural(items.rows.length, "state")}{items.groups.length > 0 && ` in ${plural(items.groups.length, sheet.group === "level" ? (recording.meta.level_word ?? "level") : "episode")}`}</span>
            {app.filtering.mask(recording.id) && <span>pass the filter</span>}
            {items.note && <span>{items.note}</span>}
            {row !== null && !app.source.live && <span>{NOT_EXPORTED}</span>}
          </p>
          <SheetSize />
          </div>
          {isNone && row !== null && recording.meta.num_episodes < 2 && sheet.among !== "all" && <p class="faint">There is no other episode in this recording; look in all episodes.</p>}
          <SheetGrid recording={recording} items={items} size={sheet.size} lines={items.distances ? 2 : 1} choice={choice} setChoice={setChoice} textOf={textOf} tagsAt={tagsAt} titleOf={titleOf} headOf={headOf} play={play} />
        </>
      )}
      <TagBar recording={recording} rows={rowsToTag} of={items?.rows.length ?? 0} chooseAll={choice.count ? () => setChoice(chooseAll(choice)) : null} />
    </div>
  );
}

function distanceSaid(distance: number | undefined): string {
  return distance === undefined ? "" : distance >= 100 ? decimal(distance, 0) : distance >= 10 ? decimal(distance, 1) : decimal(distance, 3);
}

function valueSaid(column: FilterColumn, point: number): string {
  if (point < 0) return "";
  const code = column.codes()[point];
  const text = column.texts?.find((one) => one.code === code)?.text;
  if (text !== undefined) return text;
  const number = column.number(code);
  return Number.isNaN(number) ? "not known" : shownNumber(column, number);
}

/** What the sheet shows; what it showed before stays until then. */
function useItems(recording: Recording, near: ReturnType<typeof useNear>["near"]): { items: Items | null; error: string | null } {
  const app = useApp();
  const sheet = useStore(app.view, (view) => view.sheet);
  const list = useStore(app.view, (view) => view.list?.name);
  const mask = useStore(app.filtering.store, (filtered) => filtered[recording.id]?.mask);
  const query = useStore(app.lasso, (lasso) => lasso.query);
  const tags = useStore(app.notesOf(recording.id).store, (notes) => notes.tags);
  const [state, setState] = useState<{ items: Items | null; error: string | null }>({ items: null, error: null });
  const { of, sort, descending, group } = sheet;
  useEffect(() => {
    let current = true;
    itemsOf(app, recording, sheet, near).then(
      (items) => current && setState({ items, error: null }),
      (error: unknown) => current && setState({ items: null, error: sentence(error) }),
    );
    return () => {
      current = false;
    };
  }, [recording, of, sort, descending, group, near, mask, of.kind === "lasso" && query, of.kind === "list" && list, (of.kind === "tag" || of.kind === "tagged" || sort === TAG || sort === "tagged") && tags]);
  return state;
}

/** The column by which the sheet is sorted, once its numbers have come. */
function useColumn(recording: Recording, name: string | null): FilterColumn | null {
  const app = useApp();
  const [column, setColumn] = useState<FilterColumn | null>(null);
  useEffect(() => {
    let current = true;
    setColumn(null);
    if (name !== null) app.filtering.column(recording, name).then((found) => current && setColumn(found), () => undefined);
    return () => {
      current = false;
    };
  }, [recording, name]);
  return column;
}

function useChoice(items: Items | null): [Choice, (choice: Choice) => void] {
  const [, redraw] = useState(0);
  const kept = useRef<{ items: Items | null; choice: Choice }>({ items: null, choice: nothing(0) });
  if (kept.current.items !== items) {
    const { items: before, choice } = kept.current;
    kept.current = { items, choice: items ? (before ? carried(choice, before.rows, items.rows) : nothing(items.rows.length)) : nothing(0) };
  }
  const set = (choice: Choice): void => {
    kept.current.choice = choice;
    redraw((number) => number + 1);
  };
  return [kept.current.choice, set];
}
