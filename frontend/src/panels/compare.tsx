// Two recordings: which clusters match, and what differs.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Comparison } from "../data/contract";
import { usePromise, useStore } from "../data/store";
import { count, decimal, fewEpisodes, percent, points, signed } from "../ui/format";
import { Badge, ClusterName, Problem, Waiting } from "../ui/parts";
import { toggled } from "./visible";

const GROUPS = { play: "Play", cluster: "Clusters", action: "Actions" } as const;

export function ComparePanel(): JSX.Element {
  const app = useApp();
  const [a, b] = app.recordings;
  const filters = useStore(app.view, (view) => view.filters);
  const { value, error } = usePromise(() => a.keep<Comparison>("compare", () => app.source.compare()), []);
  if (error) return <Problem text={error} />;
  if (!value) return <Waiting text="Comparing the recordings…" />;
  return (
    <div class="compare">
      <dl class="pair">
        {[a, b].map(({ id, meta }) => <><dt>{id.toUpperCase()}</dt><dd><b>{meta.name ?? meta.title}</b> <span class="faint">{meta.title}</span></dd></>)}
      </dl>
      {filters.length > 0 && <p class="filtered-note">Of all states, whether they pass the filter or not.</p>}
      {value.notes?.map((note) => <p class="faint">{note}</p>)}
      <Differences comparison={value} />
      <h3>Clusters that match</h3>
      <p class="faint">{value.how}</p>
      {value.match.length > 0 && <Matches comparison={value} />}
    </div>
  );
}

function Matches({ comparison }: { comparison: Comparison }): JSX.Element {
  const app = useApp();
  const [a, b] = app.recordings;
  const solo = useStore(app.view, (view) => view.solo);
  const number = { overlap: "shared", distance: "distance", same: "", none: "" }[comparison.kind];
  return (
    <>
    <p class="matches-head faint" aria-hidden="true"><span>A and B</span><span>{number}</span></p>
    <ul class="matches">
      {comparison.match.map(([one, other, amount]) => (
        <li>
          <button type="button" aria-pressed={solo.includes(a.slots[one])} title="Show this pair alone on both maps" onClick={() => app.view.set({ solo: toggled(solo, a.slots[one]) })}>
            <ClusterName recording={a} cluster={one} />
            <span class="faint">and</span>
            <ClusterName recording={b} cluster={other} />
            <span class="grow" />
            {comparison.kind !== "same" && <span class="number faint">{decimal(amount)}</span>}
          </button>
        </li>
      ))}
    </ul>
    </>
  );
}

/** What differs, each with its interval: the certain ones stand out. */
function Differences({ comparison }: { comparison: Comparison }): JSX.Element {
  const [a, b] = useApp().recordings;
  return (
    <>
      {(["play", "cluster", "action"] as const).map((group) => {
        const rows = comparison.differences.filter((row) => row.group === group);
        if (!rows.length) return null;
        return (
          <section>
            <h3>{GROUPS[group]}</h3>
            <table class="differences plain">
              <thead><tr><td /><th scope="col">A</th><th scope="col">B</th><th scope="col">difference, 95%</th><th scope="col" title="Episodes on which the numbers rest, of A and of B">episodes</th></tr></thead>
              <tbody>
                {rows.map((row) => {
                  const say = (value: number | null): string => (row.is_share ? percent(value, row.digits) : decimal(value, row.digits));
                  const apart = (value: number | null): string => (row.is_share ? points(value, row.digits) : signed(value, row.digits));
                  const few = fewEpisodes([[row.num_episodes_a, "of A"], [row.num_episodes_b, "of B"]]);
                  return (
                    <>
                    <tr class={`${row.certain ? "sure" : ""} ${few ? "has-few" : ""}`} title={row.text}>
                      <th scope="row">
                        {row.clusters && (
                          <><Badge recording={a} cluster={row.clusters[0]} /> {row.clusters[0] !== row.clusters[1] && <Badge recording={b} cluster={row.clusters[1]} />} </>
                        )}
                        {row.what}
                      </th>
                      <td>{say(row.a)}</td>
                      <td>{say(row.b)}</td>
                      <td class="apart">{row.difference !== null && <b>{apart(row.difference)}</b>}{row.low !== null && row.high !== null && <small class="faint">{apart(row.low)} to {apart(row.high)}</small>}</td>
                      <td class="faint episodes">{count(row.num_episodes_a)} / {count(row.num_episodes_b)}</td>
                    </tr>
                    {few && <tr class="few"><td colSpan={5}>{few}</td></tr>}
                    </>
                  );
                })}
              </tbody>
            </table>
          </section>
        );
      })}
    </>
  );
}
