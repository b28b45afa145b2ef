// The page: maps on the left, panels and player on the right.
import type { JSX } from "preact";
import { type App, useApp } from "../app";
import { useStore } from "../data/store";
import type { PanelName } from "../data/view";
import { ClustersPanel } from "../panels/clusters";
import { ComparePanel } from "../panels/compare";
import { LassoPanel } from "../panels/lasso";
import { ShowPanel } from "../panels/show";
import { TransitionsPanel } from "../panels/transitions";
import { PlayerPanel } from "../player/panel";
import { Help } from "./help";
import { MapPane } from "./mappane";
import { Button } from "./parts";
import { MapBar, TopBar } from "./toolbar";

const TITLES: Record<PanelName, string> = {
  clusters: "Clusters", lasso: "Lasso", transitions: "Transitions", show: "Show me", compare: "Compare",
};

/** The panels that make sense: comparing takes two recordings, transitions take clusters. */
export function panelsOf({ recordings }: App): PanelName[] {
  const hasClusters = recordings.some((recording) => recording.meta.num_codes > 0);
  return (Object.keys(TITLES) as PanelName[]).filter((name) => (name !== "compare" || recordings.length > 1) && (name !== "transitions" || hasClusters));
}

export function Page(): JSX.Element {
  const app = useApp();
  const problem = useStore(app.look, (look) => look.problem);
  const several = app.recordings.length > 1;
  return (
    <>
      <TopBar />
      <main>
        <div class="left">
          <MapBar />
          <div class={`maps ${several ? "two" : ""}`}>
            {app.recordings.map((recording) => <MapPane recording={recording} several={several} key={recording.id} />)}
          </div>
        </div>
        <aside class="right">
          <Panels />
          <PlayerPanel />
        </aside>
      </main>
      {problem && (
        <div class="toast" role="alert">
          {problem}
          <Button icon="close" label="Dismiss" onClick={() => app.look.set({ problem: null })} />
        </div>
      )}
      <Help />
    </>
  );
}

function Panels(): JSX.Element {
  const app = useApp();
  const { panel, rec } = useStore(app.view, (view) => view);
  useStore(app.look, (look) => look.arrived);
  const recording = app.recording(rec);
  const offered = panelsOf(app);
  const shown = offered.includes(panel) ? panel : "clusters";
  const key = `${rec} ${shown}`;
  return (
    <section class="panels">
      <div class="tabs" role="tablist" aria-label="panels">
        {offered.map((name) => (
          <button type="button" role="tab" id={`tab-${name}`} aria-selected={name === shown} aria-controls="panel" onClick={() => app.view.set({ panel: name })}>
            {TITLES[name]}
          </button>
        ))}
      </div>
      {app.recordings.length > 1 && shown !== "compare" && (
        <div class="which">
          <span class="segments" role="radiogroup" aria-label="recording">
            {app.recordings.map(({ id }) => (
              <button type="button" role="radio" aria-checked={id === rec} onClick={() => app.view.set({ rec: id })}>{id.toUpperCase()}</button>
            ))}
          </span>
          <span class="name faint">{recording.meta.name ?? recording.meta.title}</span>
        </div>
      )}
      {recording.meta.warning && <p class="problem warning">{recording.meta.warning}</p>}
      <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${shown}`} tabIndex={-1} key={key}>
        {shown === "clusters" && <ClustersPanel recording={recording} />}
        {shown === "lasso" && <LassoPanel recording={recording} />}
        {shown === "transitions" && <TransitionsPanel recording={recording} />}
        {shown === "show" && <ShowPanel recording={recording} />}
        {shown === "compare" && <ComparePanel />}
      </div>
    </section>
  );
}
