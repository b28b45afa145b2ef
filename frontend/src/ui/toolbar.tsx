// Above the maps: which recording, which plane, which colours; saving, theme and help.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Plane, PlaneName } from "../data/contract";
import { useStore } from "../data/store";
import type { ColorName, Theme } from "../data/view";
import { colorsOf, colorTitle, furtherColors, usualColors } from "../map/colors";
import { compact, count, percent } from "./format";
import { SaveButton } from "../save/dialog";
import { Button, type Option, Options } from "./parts";

export function TopBar(): JSX.Element {
  const app = useApp();
  const theme = useStore(app.view, (view) => view.theme);
  const themes: Theme[] = ["auto", "light", "dark"];
  const [first] = app.recordings;
  const { agent } = first.meta;
  const facts = [
    agent.timesteps ? `${compact(agent.timesteps)} steps` : null,
    agent.distribution_mode,
    agent.layer === null ? null : `layer ${agent.layer}`,
    agent.seed == null ? null : `seed ${agent.seed}`,
    `${count(first.meta.num_states)} states`,
    `${count(first.meta.num_episodes)} episodes`,
  ].filter(Boolean);
  return (
    <header class="topbar">
      <h1>
        {app.recordings.length > 1 ? app.recordings.map((recording) => recording.meta.name ?? recording.meta.title).join(" and ") : first.meta.title}
      </h1>
      {app.recordings.length === 1 && <p class="faint">{facts.join(" · ")}</p>}
      {app.source.about && <p class="faint about" title={app.source.about}>{app.source.about}</p>}
      <span class="grow" />
      <SaveButton />
      <Button icon="theme" label={`Theme: ${theme}`} keys="D" onClick={() => app.view.set({ theme: themes[(themes.indexOf(theme) + 1) % 3] })} />
      <Button label="Keys and help" keys="?" class="help-button" onClick={() => app.look.set({ help: true })}>?</Button>
    </header>
  );
}

export function MapBar(): JSX.Element {
  const app = useApp();
  const view = useStore(app.view, (state) => state);
  useStore(app.look, (look) => look.arrived);
  const computing = useStore(app.look, (look) => look.computing);
  const planes = app.recordings[0].meta.planes.filter((plane) => plane.why_not === undefined || app.recordings.length > 1);
  const fitted = app.recordings.every(({ meta }) => meta.clusters_fitted);
  const colors = colorsOf(app.recordings);
  const [usual, further] = [usualColors(app.recordings), furtherColors(app.recordings)];
  const title = (color: ColorName): string => colorTitle(app.recordings, color);
  const planeOption = (plane: Plane): Option<PlaneName> => {
    const progress = computing[plane.name];
    const text = plane.name === "fdr" && fitted ? FITTED_PLANE : PLANE_TEXTS[plane.name];
    return {
      value: plane.name, disabled: plane.why_not !== undefined,
      title: plane.why_not ?? (progress === undefined ? text : `${plane.title} is being computed: ${percent(progress, 0)}`),
      label: <>{plane.title}{progress !== undefined && <i class="progress" style={{ width: `${100 * Math.max(progress, 0.04)}%` }} />}</>,
    };
  };
  const colorOption = (color: ColorName): Option<ColorName> => ({
    value: color, label: title(color), title: (color === "cluster" && fitted ? FITTED_CLUSTER : COLOR_TEXTS[color]) ?? `${title(color)}, as recorded`,
  });
  const hasCells = view.plane === "fdr" && app.recordings.some((recording) => recording.meta.num_codes > 0);
  return (
    <div class="bar">
      <Options label="plane" options={planes.map(planeOption)} chosen={view.plane} choose={(plane) => app.view.set({ plane })} />
      <Options
        label="colour" class="segments colors" options={usual.map(colorOption)} chosen={view.color}
        choose={(color) => app.view.set({ color })}
      />
      <label class="choice colors further" title="Colour by another column">
        <span class="sr">colour by another column</span>
        <select
          class={further.includes(view.color) ? "chosen" : ""} value={further.includes(view.color) ? view.color : ""}
          onChange={(event) => event.currentTarget.value && app.view.set({ color: event.currentTarget.value })}
        >
          <option value="">more</option>
          {further.map((color) => <option value={color}>{title(color)}</option>)}
        </select>
      </label>
      <label class="choice colors-menu">
        <span class="sr">colour</span>
        <select value={view.color} onChange={(event) => app.view.set({ color: event.currentTarget.value })}>
          {colors.map((color) => <option value={color}>{title(color)}</option>)}
        </select>
      </label>
      <span class="grow" />
      <Shown hasClusters={app.recordings.some((recording) => recording.meta.num_codes > 0)} hasCells={hasCells} />
    </div>
  );
}

function Shown({ hasClusters, hasCells }: { hasClusters: boolean; hasCells: boolean }): JSX.Element {
  const app = useApp();
  const view = useStore(app.view, (state) => state);
  return (
    <>
      {app.recordings.some(({ meta }) => meta.has_frames) && <label class="check" title="Pictures of states on the map, where there is room (P)">
        <input type="checkbox" checked={view.frames} onChange={() => app.view.set({ frames: !view.frames })} /> frames
      </label>}
      {hasClusters && <>
      <label class={`check ${hasCells ? "" : "off"}`} title="Where which cluster's code is the nearest (V)">
        <input type="checkbox" checked={view.cells} disabled={!hasCells} onChange={() => app.view.set({ cells: !view.cells })} /> cells
      </label>
      <label class="check" title="Numbers and names of the clusters (N)">
        <input type="checkbox" checked={view.names} onChange={() => app.view.set({ names: !view.names })} /> names
      </label>
      </>}
    </>
  );
}

const COLOR_TEXTS: Partial<Record<ColorName, string>> = {
  cluster: "The cluster that the agent itself puts the state into",
  value: "The return that the agent expects from here",
  action: "The action that the agent chose",
  reward: "The reward that the action brought",
  time: "Time in episode: from its first step to its last",
  uncertainty: "How evenly near the state is to several clusters",
  success: "Whether the state's episode ends in success",
  tag: "The tags that states were given on the panel States",
};

const FITTED_CLUSTER = "The cluster of the clustering that was fitted to the agent's features";
const FITTED_PLANE = "The plane that was fitted to the agent's features afterwards";

const PLANE_TEXTS: Record<PlaneName, string> = {
  fdr: "The plane that the agent itself learned: its clusters are where which code is the nearest",
  tsne: "t-SNE of the agent's features: what is near there is near here, distances mean little",
  pca: "The two directions in which the agent's features differ most",
};
