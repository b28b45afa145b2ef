// The page: maps on the left, panels and player on the right.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { type App, type Done, useApp } from "../app";
import { useMedia, useStore } from "../data/store";
import type { PanelName } from "../data/view";
import { ClustersPanel } from "../panels/clusters";
import { ComparePanel } from "../panels/compare";
import { EpisodesPanel } from "../panels/episodes";
import { FilterPanel } from "../panels/filter";
import { FilterChips } from "../panels/filter_chips";
import { LassoPanel } from "../panels/lasso";
import { ShowPanel } from "../panels/show";
import { StatesPanel } from "../panels/states";
import { TransitionsPanel } from "../panels/transitions";
import { undo } from "../panels/undo";
import { PlayerPanel } from "../player/panel";
import { FirstSteps } from "./first_steps";
import { SaveDialog } from "../save/dialog";
import { Help } from "./help";
import { MapPane } from "./mappane";
import { Button, Options } from "./parts";
import { MapBar, TopBar } from "./toolbar";

/** As in base.css. */
const NARROW = "(max-width: 860px)";

const TITLES: Record<PanelName, string> = {
  clusters: "Clusters", lasso: "Lasso", transitions: "Transitions", show: "Show me", filter: "Filter", states: "States", episodes: "Episodes", compare: "Compare",
};

/** The panels that make sense: comparing takes two recordings, transitions take clusters. */
export function panelsOf({ recordings }: App): PanelName[] {
  const hasClusters = recordings.some((recording) => recording.meta.num_codes > 0);
  return (Object.keys(TITLES) as PanelName[]).filter((name) => (name !== "compare" || recordings.length > 1) && (name !== "transitions" || hasClusters));
}

export function Page(): JSX.Element {
  const app = useApp();
  const problem = useStore(app.look, (look) => look.problem);
  const done = useStore(app.look, (look) => look.done);
  const several = app.recordings.length > 1;
  const wide = useStore(app.view, (view) => view.panel === "states" && view.sheet.wide);
  const narrow = useMedia(NARROW); // read and tabbed through in the order in which it is shown
  return (
    <>
      <TopBar />
      <main class={wide ? "wide" : ""}>
        <div class="left">
          <MapBar />
          <FilterChips />
          <div class={`maps ${several ? "two" : ""}`}>
            {app.recordings.map((recording) => <MapPane recording={recording} several={several} key={recording.id} />)}
          </div>
        </div>
        <section class="right" aria-label="panels and player">
          {narrow ? [<FirstSteps key="steps" />, <PlayerPanel key="player" />, <Panels key="panels" />] : [<Panels key="panels" />, <FirstSteps key="steps" />, <PlayerPanel key="player" />]}
        </section>
      </main>
      <div class="toasts">
        {problem && (
          <div class="toast" role="alert">
            {problem}
            <Button icon="close" label="Dismiss" onClick={() => app.look.set({ problem: null })} />
          </div>
        )}
        <div role="status">{done && <DoneToast done={done} key={done.text} />}</div>
      </div>
      <Help />
      <SaveDialog />
    </>
  );
}

/** What was done, and the way to take it back: it stays until one has read it. */
function DoneToast({ done }: { done: Done }): JSX.Element {
  const app = useApp();
  const forget = (): void => {
    if (app.look.get().done === done) app.look.set({ done: null });
  };
  return (
    <div class="toast">
      {done.text}
      <Button label="Undo" keys="Ctrl Z" class="labelled" onClick={() => void undo(app, done)}>undo</Button>
      <Button icon="close" label="Dismiss" onClick={forget} />
    </div>
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
  // where tabs have no room, they scroll sideways
  useEffect(() => {
    const tab = document.getElementById(`tab-${shown}`);
    const tabs = tab?.parentElement;
    if (tab && tabs) tabs.scrollLeft = Math.max(Math.min(tabs.scrollLeft, tab.offsetLeft), tab.offsetLeft + tab.offsetWidth - tabs.clientWidth);
  }, [shown]);
  return (
    <div class="panels">
      <div class="tabs" role="tablist" aria-label="panels">
        {offered.map((name) => (
          <button type="button" role="tab" id={`tab-${name}`} aria-selected={name === shown} aria-controls="panel" tabIndex={name === shown ? 0 : -1} onClick={() => app.view.set({ panel: name })}>
            {TITLES[name]}
          </button>
        ))}
      </div>
      {app.recordings.length > 1 && shown !== "compare" && (
        <div class="which">
          <Options label="recording" options={app.recordings.map(({ id }) => ({ value: id, label: id.toUpperCase() }))} chosen={rec} choose={(id) => app.view.set({ rec: id })} />
          <span class="name faint">{recording.meta.name ?? recording.meta.title}</span>
        </div>
      )}
      {recording.meta.warning && <p class="problem warning">{recording.meta.warning}</p>}
      <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${shown}`} tabIndex={-1} key={key}>
        <h2 class="sr">{TITLES[shown]}</h2>
        {shown === "clusters" && <ClustersPanel recording={recording} />}
        {shown === "lasso" && <LassoPanel recording={recording} />}
        {shown === "transitions" && <TransitionsPanel recording={recording} />}
        {shown === "show" && <ShowPanel recording={recording} />}
        {shown === "filter" && <FilterPanel recording={recording} />}
        {shown === "episodes" && <EpisodesPanel recording={recording} />}
        {shown === "states" && <StatesPanel recording={recording} />}
        {shown === "compare" && <ComparePanel />}
      </div>
    </div>
  );
}
