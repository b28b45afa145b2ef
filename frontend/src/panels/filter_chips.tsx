// The filters that are applied, above the maps: each can be removed, and what they leave is counted.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { useStore } from "../data/store";
import { count, plural } from "../ui/format";
import { Button } from "../ui/parts";
import { removeFilter } from "./filters";
import { openSheet } from "./sheet";

export function FilterChips(): JSX.Element | null {
  const app = useApp();
  const filters = useStore(app.view, (view) => view.filters);
  const filtered = useStore(app.filtering.store, (state) => state);
  if (!filters.length) return null; // also while one brushes for the first time, so that the map stands still
  const several = app.recordings.length > 1;
  return (
    <div class="filter-chips" role="group" aria-label="filters">
      {filters.map((filter) => {
        const wrong = app.recordings.flatMap(({ id }) => {
          const why = filtered[id]?.wrong.get(filter);
          return why ? [several ? `to ${id.toUpperCase()}: ${why}` : why] : [];
        });
        const isNowhere = wrong.length === app.recordings.length;
        return (
          <span class={`chip ${isNowhere ? "wrong" : wrong.length ? "partly" : ""}`} key={filter}>
            <span class="name" title={filter}>{filter}</span>
            {wrong.length > 0 && <small title={wrong.join(" ")}>not applied{several ? " " : ": "}{wrong.join(" ")}</small>}
            <Button icon="close" label={`Remove the filter ${filter}`} onClick={() => removeFilter(app, filter)} />
          </span>
        );
      })}
      <span class="filter-left faint" role="status">
        {app.recordings.map((recording) => <Left recording={recording} several={several} key={recording.id} />)}
      </span>
      <Button label="All states that pass as a contact sheet" class="labelled" onClick={() => openSheet(app, app.view.get().rec, { kind: "all" })}>contact sheet</Button>
      {filters.length > 1 && <Button label="Remove all filters" class="labelled" onClick={() => app.view.set({ filters: [] })}>remove all</Button>}
    </div>
  );
}

function Left({ recording, several }: { recording: Recording; several: boolean }): JSX.Element | null {
  const app = useApp();
  const left = useStore(app.filtering.store, (state) => state[recording.id]);
  if (!left) return null;
  const isSample = recording.count < recording.meta.num_states;
  return (
    <span data-left={left.count}>
      {several && <b>{recording.id.toUpperCase()} </b>}
      {count(left.count)} of {plural(recording.count, "state")}{isSample && " on the map"}, {count(left.numEpisodes)} of {plural(recording.meta.num_episodes, "episode")}
    </span>
  );
}
