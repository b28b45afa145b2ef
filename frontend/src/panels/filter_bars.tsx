// The bars of a column of few values, such as actions and clusters: one chooses those that are kept.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../app";
import { choiceFilter } from "../data/filter_bins";
import { allCounts } from "../data/filtered";
import { clusterColor } from "../map/colors";
import { count, percent, plural } from "../ui/format";
import { Badge, Button } from "../ui/parts";
import { chosenBins, type ColumnShown, sum } from "./filter_histogram";
import { withFilter } from "./filters";

const MOST_BARS = 8;

export function ChoiceBars({ recording, column, bins }: ColumnShown): JSX.Element {
  const app = useApp();
  const [isOpen, setOpen] = useState(false);
  const { counts, chosen } = app.filtering.histogram(recording, column, bins);
  const all = allCounts(recording, column);
  const kept = chosenBins(bins, chosen);
  const number = kept ? (app.filtering.of(recording.id)?.count ?? null) : null;
  const labels = bins.labels as string[];
  const [total, totalOfAll] = [sum(counts, bins.count), Math.max(sum(all, bins.count), 1)];
  const isCluster = column.name === "cluster";
  const present = labels.map((_, bin) => bin).filter((bin) => all[bin] > 0 || kept?.[bin]);
  const frequent = column.texts ? [...present].sort((one, other) => all[other] - all[one]) : present;
  const shown = isOpen || present.length <= MOST_BARS + 1 ? frequent : frequent.filter((bin, at) => at < MOST_BARS || kept?.[bin]);
  const most = Math.max(...shown.map((bin) => Math.max(counts[bin] / Math.max(total, 1), all[bin] / totalOfAll)), 1e-9);
  const choose = (filter: string | null): void => app.view.set({ filters: withFilter(app, recording, column, filter) });
  const toggle = (bin: number): void => {
    const before = kept ? present.filter((one) => kept[one]) : [];
    choose(choiceFilter(column, bins, before.includes(bin) ? before.filter((one) => one !== bin) : [...before, bin].sort((one, other) => one - other)));
  };
  return (
    <figure class={`filter-column choice-bars ${column.texts ? "" : "of-numbers"} ${kept ? "filtered" : ""}`} data-column={column.name}>
      <figcaption title={`${column.name} of the ${plural(total, "state")} that pass the other filters${number === null ? "" : `, of which ${count(number)} are chosen`}`}>
        <b>{column.name}</b>
        <span class="grow" />
        <span class="n">n {count(number ?? total)}</span>
        {kept && <Button icon="close" label={`Remove the filter of ${column.name}`} onClick={() => choose(null)} />}
      </figcaption>
      <div role="group" aria-label={column.name}>
        {shown.map((bin) => {
          const share = counts[bin] / Math.max(total, 1);
          const color = isCluster ? clusterColor(recording, bin) : "var(--accent)";
          return (
            <button
              type="button" class={kept && !kept[bin] ? "out" : ""} aria-pressed={kept !== null && kept[bin] === 1} key={labels[bin]}
              title={`${labels[bin]}: ${count(counts[bin])} of ${plural(all[bin], "state")}`} onClick={() => toggle(bin)}
            >
              <span class="name">{isCluster ? <Badge recording={recording} cluster={bin} /> : labels[bin]}</span>
              <span class="track">
                <i style={{ width: `${(100 * share) / most}%`, background: color }} />
                <em style={{ left: `${(100 * all[bin]) / totalOfAll / most}%` }} />
              </span>
              <span class="number">{count(counts[bin])}</span>
              <span class="number faint">{percent(share, 0)}</span>
            </button>
          );
        })}
      </div>
      {shown.length < present.length && <Button label={`Show all values of ${column.name}`} class="labelled" onClick={() => setOpen(true)}>{plural(present.length - shown.length, "more", "more")}</Button>}
    </figure>
  );
}
