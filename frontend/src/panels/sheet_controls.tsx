// Above the contact sheet: which states, in which order, gathered how, and how large.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { AMONG, type Among, LEAST_SIZE, MOST_SIZE, type Sheet, type SheetOf, WAYS, type Way } from "../data/sheet";
import { useStore } from "../data/store";
import { Button, Options } from "../ui/parts";
import { openNearest, openSheet } from "./sheet";

const WAY_TEXTS: Record<Way, string> = {
  features: "Distance of the agent's features: what it takes to be alike", plane: "Distance in the plane that the map shows", pixels: "Mean difference of the frames' pixels, 0 to 255",
};
const AMONG_TEXTS: Record<Among, string> = { others: "other episodes", each: "one of each other", all: "all episodes" };

export function SheetControls({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  const sheet = useStore(app.view, (view) => view.sheet);
  useStore(app.look, (look) => look.arrived);
  const isPlaying = useStore(app.player.store, (state) => state.episode !== null);
  const tags = useStore(app.notesOf(recording.id).store, (state) => state.tags);
  const { meta } = recording;
  const change = (patch: Partial<Sheet>): void => app.view.set({ sheet: { ...sheet, ...patch } });
  const tagNames = [...new Set([...tags.keys(), ...(sheet.of.kind === "tag" ? [sheet.of.tag] : [])])].sort((one, other) => one.localeCompare(other));
  const isNear = sheet.of.kind === "near";
  const ways = WAYS.filter((way) => way !== "pixels" || meta.has_frames);
  const columns = app.filtering.names(recording);
  const offered: { of: SheetOf | null; label: string; disabled?: boolean }[] = [
    { of: { kind: "all" }, label: app.filtering.mask(recording.id) ? "all that pass the filter" : "all states" },
    { of: { kind: "lasso" }, label: "inside the lasso" },
    { of: { kind: "list" }, label: "the list of “Show me”" },
    sheet.of.kind === "near" ? { of: sheet.of, label: `near to state ${sheet.of.row.toLocaleString("en")}` } : { of: null, label: isPlaying ? "near to the one in the player" : "near to one: point at it and press S", disabled: !isPlaying },
    ...(tags.size || sheet.of.kind === "tagged" ? [{ of: { kind: "tagged" as const }, label: "all with a tag" }] : []),
    ...tagNames.map((tag) => ({ of: { kind: "tag" as const, tag }, label: `tag: ${tag}` })),
    ...(meta.num_codes > 0 ? meta.colors.map((_, cluster) => ({ of: { kind: "cluster" as const, cluster }, label: app.notesOf(recording.id).title(cluster) })) : []),
  ];
  const chosen = offered.findIndex(({ of }) => JSON.stringify(of) === JSON.stringify(sheet.of));
  const show = (of: SheetOf | null): void => void (of ? openSheet(app, recording.id, of) : openNearest(app));
  return (
    <div class="sheet-controls">
      <label class="choice" title="Which states">
        <span class="sr">states</span>
        <select value={String(chosen)} onChange={(event) => show(offered[Number(event.currentTarget.value)].of)}>
          {offered.map(({ label, disabled }, at) => <option value={String(at)} disabled={disabled}>{label}</option>)}
        </select>
      </label>
      {isNear && (
        <>
          <Options label="near by" options={ways.map((way) => ({ value: way, label: way, title: app.source.live || way === "plane" ? WAY_TEXTS[way] : "This page was exported without what this would need", disabled: !app.source.live && way !== "plane" }))} chosen={app.source.live ? sheet.by : "plane"} choose={(by) => change({ by })} />
          <label class="choice" title="States of the same episode are mostly the step before and after">
            <span class="sr">in which episodes</span>
            <select value={sheet.among} onChange={(event) => change({ among: event.currentTarget.value as Among })}>
              {AMONG.map((among) => <option value={among}>{AMONG_TEXTS[among]}</option>)}
            </select>
          </label>
        </>
      )}
      <span class="group">
        <label class="choice" title="Sorted by">
          <span class="sr">sorted by</span>
          <select value={sheet.sort ?? ""} onChange={(event) => change({ sort: event.currentTarget.value || null })}>
            <option value="">{isNear ? "nearest first" : sheet.of.kind === "list" ? "as listed" : "as recorded"}</option>
            {columns.map((name) => <option value={name}>by {name}</option>)}
          </select>
        </label>
        <Button icon={sheet.descending ? "down" : "up"} label={sheet.descending ? "Greatest first" : "Least first"} disabled={sheet.sort === null} onClick={() => change({ descending: !sheet.descending })} />
      </span>
      <label class="choice" title="Gathered by">
        <span class="sr">gathered by</span>
        <select value={sheet.group ?? ""} onChange={(event) => change({ group: (event.currentTarget.value || null) as Sheet["group"] })}>
          <option value="">no groups</option>
          <option value="episode">by episode</option>
          {meta.level_word && <option value="level">by {meta.level_word}</option>}
        </select>
      </label>
    </div>
  );
}

/** How large pictures are, and how much of the page they may take. */
export function SheetSize(): JSX.Element {
  const app = useApp();
  const sheet = useStore(app.view, (view) => view.sheet);
  const change = (patch: Partial<Sheet>): void => app.view.set({ sheet: { ...sheet, ...patch } });
  return (
    <span class="sheet-size">
      <label title="Size of the pictures">
        <span class="sr">size of the pictures</span>
        <input type="range" min={LEAST_SIZE} max={MOST_SIZE} step={4} value={sheet.size} onInput={(event) => change({ size: Number(event.currentTarget.value) })} />
      </label>
      <Button icon="whole" label="Wide: more room for pictures" pressed={sheet.wide} class="sheet-wide" onClick={() => change({ wide: !sheet.wide })} />
    </span>
  );
}
