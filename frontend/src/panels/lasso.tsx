// What is inside a lasso against the rest; named selections; downloads.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { NO_LASSO, useApp } from "../app";
import type { Inside, Selection } from "../data/contract";
import type { Recording } from "../data/recording";
import { sentence, useStore } from "../data/store";
import { clusterColor } from "../map/colors";
import { Actions, Interval } from "../ui/charts";
import { count, decimal, percent, plural } from "../ui/format";
import { Button, Frame, Icon, Picture, Problem, Waiting } from "../ui/parts";
import { openSelection } from "./inside";
import { openSheet } from "./sheet";

const MOST_EXAMPLES = 8;

export function LassoPanel({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  const lasso = useStore(app.lasso, (state) => state);
  const mine = lasso.rec === recording.id && lasso.query !== null;
  return (
    <div class="lasso">
      {!mine && (
        <div class="empty-state">
          <p>Draw around states on the map to see what sets them apart from the rest.</p>
          <Button icon="lasso" label="Draw a lasso" keys="L, or Shift and drag" class="labelled main" pressed={lasso.drawing} onClick={() => app.lasso.set({ drawing: !lasso.drawing })}>
            {lasso.drawing ? "drawing: Esc ends" : "draw a lasso"}
          </Button>
        </div>
      )}
      {mine && lasso.error && <Problem text={lasso.error} />}
      {mine && !lasso.error && !lasso.inside && <Waiting text="Comparing…" />}
      {mine && lasso.inside && <InsideView recording={recording} inside={lasso.inside} />}
      <Selections recording={recording} />
    </div>
  );
}

function InsideView({ recording, inside }: { recording: Recording; inside: Inside }): JSX.Element {
  const app = useApp();
  const { query } = useStore(app.lasso, (state) => state);
  const isFiltered = app.filtering.mask(recording.id) !== null;
  const { meta } = recording;
  const cluster = query && "clusters" in query ? query.clusters[0] : null;
  const rows = (
    <>
      {inside.value && <Interval title="value" of={inside.value} />}
      {inside.success && <Interval title="success" of={inside.success} share tip="of episodes that pass through, and of those that never do" />}
      {inside.parts.map((part, at) => <Interval title={meta.action_parts[at].name} of={part} tip="a part of the action" />)}
      {inside.reward && <Interval title="reward" of={inside.reward} tip="a step" />}
      <Interval title="time" of={inside.progress} share tip="in the episode: 0% is its start, 100% its end" />
      <Interval title="dwell" of={inside.dwell} tip="consecutive steps inside, and outside" />
      {inside.uncertainty && <Interval title="uncertainty" of={inside.uncertainty} share tip="0% in the middle of a cluster, 100% as near to all" />}
    </>
  );
  if (!inside.count) return <p class="empty-state">No state lies inside. Draw around some.</p>;
  return (
    <div class="inside">
      <header class="panel-head">
        <p class="big">
          <b data-count={inside.count}>{count(inside.count)}</b> {inside.count === 1 ? "state" : "states"} {cluster === null ? "" : `of cluster ${cluster} `}
          <span class="faint">{percent(inside.count / inside.of)}{isFiltered && " of those that pass"}, {plural(inside.num_episodes, "episode")}{inside.num_levels !== null && `, ${plural(inside.num_levels, meta.level_word ?? "level")}`}</span>
        </p>
        <Button icon="close" label="Let go" keys="Esc" onClick={() => { app.lasso.set(NO_LASSO); app.view.set({ sel: null }); }} />
      </header>
      <div class="means">
        <MeanFrame recording={recording} inside={inside} address={inside.mean} of={inside.num_frames} states={inside.count} label="mean frame inside">mean inside</MeanFrame>
        <MeanFrame recording={recording} inside={inside} address={inside.mean_rest} of={inside.num_frames_rest} states={inside.of - inside.count} label="mean frame of the rest">of the rest</MeanFrame>
        {meta.num_actions > 0 && <Actions meta={meta} shares={inside.actions} against={inside.actions_rest} low={inside.actions_low} high={inside.actions_high} />}
      </div>
      {meta.num_actions > 0 && <p class="key faint">
        <span><em /> the rest</span>
        <span>{plural(inside.num_episodes, "episode")} inside, {count(inside.progress.num_episodes_rest)} of the rest</span>
        {inside.actions_effect !== null && <span title={`effect size, ${inside.actions_effect_name}: 0 if actions are as frequent as in the rest, 1 if they are all others`}>{inside.actions_effect_name} {decimal(inside.actions_effect)}</span>}
      </p>}
      {inside.examples.length > 0 && (
        <div class={`typical examples ${meta.has_frames ? "" : "words"}`} role="group" aria-label="states inside: click to play">
          {inside.examples.slice(0, MOST_EXAMPLES).map((row) => (
            <button type="button" title="A state inside; click to play from it" onClick={() => void app.openRow(recording.id, row)}>
              {meta.has_frames ? <Frame recording={recording} row={row} label={`state ${row}`} /> : <>state {count(row)}</>}
            </button>
          ))}
        </div>
      )}
      {inside.clusters.length > 0 && <Composition recording={recording} counts={inside.clusters} />}
      <table class="differences">
        <thead>
          <tr><td /><th scope="col">inside</th><th scope="col">rest</th><th scope="col">95%</th><th scope="col">difference</th><th scope="col">effect</th><th scope="col" title="Episodes on which the numbers rest: inside, and of the rest">episodes</th></tr>
        </thead>
        <tbody>{rows}</tbody>
      </table>
      {inside.note && <p class="faint">{inside.note}</p>}
      <Keep recording={recording} inside={inside} />
    </div>
  );
}

/** A mean frame, and of how many frames it is, where not of all states. */
function MeanFrame({ recording, inside, address, of, states, label, children }: {
  recording: Recording;
  inside: Inside;
  address: string | null;
  of: number;
  states: number;
  label: string;
  children: string;
}): JSX.Element | null {
  const app = useApp();
  if (!address) return app.source.live || !states || !recording.meta.has_frames ? null : <p class="faint">{label}: no frame of these states is in this file</p>;
  const from = `the mean of ${plural(of, "frame")}${app.source.live ? "" : " in this file"}`;
  return (
    <figure title={from}>
      <Picture recording={recording} load={() => app.source.picture(address)} depends={[inside]} label={label} />
      <figcaption>{children}{of < states && <small> {count(of)} {app.source.live ? "random states" : "frames"}</small>}</figcaption>
    </figure>
  );
}

/** Which clusters the states inside are of. */
function Composition({ recording, counts }: { recording: Recording; counts: readonly number[] }): JSX.Element {
  const total = counts.reduce((sum, number) => sum + number, 0) || 1;
  const shares = counts.map((number) => number / total);
  const order = shares.map((_, cluster) => cluster).filter((cluster) => shares[cluster] > 0).sort((one, other) => shares[other] - shares[one]);
  return (
    <div class="composition" role="img" aria-label={`clusters inside: ${order.map((cluster) => `${cluster} ${percent(shares[cluster], 0)}`).join(", ")}`}>
      {order.map((cluster) => (
        <span style={{ flexGrow: shares[cluster], background: clusterColor(recording, cluster) }} title={`cluster ${cluster}: ${percent(shares[cluster])}`} />
      ))}
    </div>
  );
}

function Keep({ recording, inside }: { recording: Recording; inside: Inside }): JSX.Element {
  const app = useApp();
  const { plane, polygon } = useStore(app.lasso, (state) => state);
  const sel = useStore(app.view, (view) => view.sel);
  const [name, setName] = useState("");
  const [error, setError] = useState<string | null>(null);
  const downloads: [string, string | null][] = [
    ["Parquet", app.source.rowsAddress(recording.id, inside.key, "parquet")],
    ["CSV", app.source.rowsAddress(recording.id, inside.key, "csv")],
    ["clip", app.source.clipAddress(recording.id, inside.key)],
  ];
  const save = async (): Promise<void> => {
    if (!plane || !name.trim()) return;
    try {
      const saved = await app.notesOf(recording.id).saveSelection({ name: name.trim(), plane, polygon });
      app.view.set({ sel: saved.id });
      setName("");
      setError(null);
    } catch (problem) {
      setError(sentence(problem));
    }
  };
  return (
    <div class="keep">
      {app.source.live && plane && !sel && (
        <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
          <input value={name} placeholder="Name this selection" aria-label="name of the selection" maxLength={80} onInput={(event) => setName(event.currentTarget.value)} />
          <button type="submit" class="button labelled" disabled={!name.trim()}>save</button>
        </form>
      )}
      {error && <Problem text={error} />}
      <p class="downloads">
        <Button label="All states inside as a contact sheet" class="labelled" onClick={() => openSheet(app, recording.id, { kind: "lasso" })}>contact sheet</Button>
        {downloads.filter(([, address]) => address).map(([title, address]) => (
          <a class="button labelled" href={address as string} download><Icon name="save" /> {title}</a>
        ))}
      </p>
    </div>
  );
}

function Selections({ recording }: { recording: Recording }): JSX.Element | null {
  const app = useApp();
  const notes = app.notesOf(recording.id);
  const selections = useStore(notes.store, (state) => state.selections);
  const sel = useStore(app.view, (view) => view.sel);
  const [error, setError] = useState<string | null>(null);
  if (!selections.length) return null;
  const remove = (selection: Selection): void => {
    const isOpen = sel === selection.id;
    const bringBack = async (): Promise<void> => {
      await notes.bringBack(selection);
      if (isOpen && app.lasso.get().query) app.view.set({ sel: selection.id });
    };
    notes.removeSelection(selection).then(
      () => {
        if (isOpen) app.view.set({ sel: null });
        app.look.set({ done: { text: `Deleted “${selection.name}”.`, undo: bringBack, deleted: selection.id } });
      },
      (problem: unknown) => setError(sentence(problem)),
    );
  };
  return (
    <section class="selections">
      <h3>Named selections</h3>
      {error && <Problem text={error} />}
      <ul class="rows">
        {selections.map((selection) => (
          <li class={sel === selection.id ? "open" : ""}>
            <div class="row">
              <button type="button" class="row-main" onClick={() => void openSelection(app, recording.id, selection)}>
                <span class="name">{selection.name}</span>
                <span class="number faint">{selection.count === undefined ? "" : plural(selection.count, "state")}</span>
                <span class="faint">{recording.plane(selection.plane)?.title}{selection.author ? `, ${selection.author}` : ""}</span>
              </button>
              {notes.writable && <Button icon="close" label={`Delete the selection ${selection.name}`} onClick={() => remove(selection)} />}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
