// Two recordings: which clusters match, and what differs.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Comparison } from "../data/contract";
import { usePromise, useStore } from "../data/store";
import { decimal, percent } from "../ui/format";
import { Badge, ClusterName, Problem, Waiting } from "../ui/parts";
import { toggled } from "./visible";

const GROUPS = { play: "Play", cluster: "Clusters", action: "Actions" } as const;

export function ComparePanel(): JSX.Element {
  const app = useApp();
  const [a, b] = app.recordings;
  const { value, error } = usePromise(() => a.keep<Comparison>("compare", () => app.source.compare()), []);
  if (error) return <Problem text={error} />;
  if (!value) return <Waiting text="Comparing the recordings…" />;
  return (
    <div class="compare">
      <dl class="pair">
        {[a, b].map(({ id, meta }) => <><dt>{id.toUpperCase()}</dt><dd><b>{meta.name ?? meta.title}</b> <span class="faint">{meta.title}</span></dd></>)}
      </dl>
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
  return (
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
              <thead><tr><th /><th>A</th><th>B</th><th>difference, 95%</th></tr></thead>
              <tbody>
                {rows.map((row) => {
                  const say = (value: number | null): string => (row.is_share ? percent(value, row.digits) : decimal(value, row.digits));
                  return (
                    <tr class={row.certain ? "sure" : ""} title={row.text}>
                      <th scope="row">
                        {row.clusters && (
                          <><Badge recording={a} cluster={row.clusters[0]} /> {row.clusters[0] !== row.clusters[1] && <Badge recording={b} cluster={row.clusters[1]} />} </>
                        )}
                        {row.what}
                      </th>
                      <td>{say(row.a)}</td>
                      <td>{say(row.b)}</td>
                      <td>{row.difference !== null && say(row.difference)}{row.low !== null && row.high !== null && <small class="faint"> {say(row.low)} to {say(row.high)}</small>}</td>
                    </tr>
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
