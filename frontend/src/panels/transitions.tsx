// How the agent moves between clusters: the matrix; a move that is clicked is played.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Transitions } from "../data/contract";
import { filteredMoves } from "../data/filtered_moves";
import type { Recording } from "../data/recording";
import { usePromise, useStore } from "../data/store";
import { count, decimal, percent, plural } from "../ui/format";
import { Badge, type Option, Options, Problem, Waiting } from "../ui/parts";
import { moveName, movesOf, openMoves } from "./lists";
import { ListItems } from "./show";

const MOST_WITH_NUMBERS = 10;
const KINDS: readonly Option<"leaving" | "steps">[] = [
  { value: "leaving", label: "when it leaves", title: "Of the moves out of a cluster, the share that goes to each other" },
  { value: "steps", label: "each step", title: "Of all steps in a cluster, the share that is followed by a state of each" },
];

export function TransitionsPanel({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  const ask = async (): Promise<Transitions> => {
    const found = await recording.keep<Transitions>("transitions", () => app.source.transitions(recording.id));
    app.arrive();
    return found;
  };
  const { value: ofAll, error } = usePromise(ask, [recording]);
  const steps = useStore(app.view, (view) => view.steps);
  const list = useStore(app.view, (view) => view.list);
  const mask = useStore(app.filtering.store, (filtered) => filtered[recording.id]?.mask ?? null);
  useStore(app.look, (look) => look.arrived);
  const lit = useStore(app.look, (look) => look.arrow);
  if (!recording.meta.num_codes) return <p class="empty-state">Moves between clusters need an agent with clusters; this one has none.</p>;
  if (error) return <Problem text={error} />;
  if (!ofAll) return <Waiting text="Counting the moves…" />;
  const filtered = mask && filteredMoves(recording, ofAll, mask);
  const moves = filtered ?? ofAll;
  const shares = steps ? moves.probabilities : moves.leaving;
  const clusters = moves.counts.map((_, k) => k);
  const chosen = list ? movesOf(list.name) : null;
  return (
    <div class="transitions">
      <header class="panel-head">
        <Options label="what the matrix shows" options={KINDS} chosen={steps ? "steps" : "leaving"} choose={(kind) => app.view.set({ steps: kind === "steps" })} />
      </header>
      {mask && !filtered && <p class="filtered-note">Moves of all states, whether they pass the filter or not: the map shows a sample. Only the list below is filtered.</p>}
      <p class="faint matrix-said">
        Percent of the {steps ? "steps in" : "moves out of"} the row’s cluster{filtered && ", from states that pass the filter,"} that {steps ? "are followed by a state of" : "lead to"} the column’s{filtered ? "" : "; dwell in steps"}.
      </p>
      <table class={`matrix ${clusters.length > MOST_WITH_NUMBERS ? "small" : ""}`}>
        <thead>
          <tr>
            <th class="sr">from</th>
            {clusters.map((k) => <th scope="col"><Badge recording={recording} cluster={k} /></th>)}
            {!filtered && <th scope="col" class="faint" title="steps from entering to leaving, on average">dwell</th>}
          </tr>
        </thead>
        <tbody>
          {clusters.map((i) => (
            <tr>
              <th scope="row"><Badge recording={recording} cluster={i} /></th>
              {clusters.map((j) => {
                const share = shares[i][j];
                const number = moves.counts[i][j];
                const said = clusters.length <= MOST_WITH_NUMBERS && share !== null && number > 0 ? (100 * share < 1 ? "<1" : String(Math.round(100 * share))) : "";
                const isChosen = (chosen?.[0] === i && chosen[1] === j) || (lit?.[0] === i && lit[1] === j);
                return (
                  <td>
                    <button
                      type="button" data-plays aria-current={isChosen && list?.name === moveName(i, j)} disabled={i === j || number === 0} class={isChosen ? "chosen" : ""}
                      style={{ "--x": Math.sqrt(share ?? 0).toFixed(3) }}
                      title={i === j ? `${count(number)} steps within cluster ${i}` : `${i} to ${j}: ${plural(number, "time")}, ${percent(share)}; click to play ${number === 1 ? "it" : "them"}`}
                      aria-label={`from ${i} to ${j}: ${plural(number, "time")}${said && `, ${said} percent`}`}
                      onMouseEnter={() => app.look.set({ arrow: number && i !== j ? [i, j] : null })}
                      onMouseLeave={() => app.look.set({ arrow: null })}
                      onFocus={() => app.look.set({ arrow: number && i !== j ? [i, j] : null })}
                      onBlur={() => app.look.set({ arrow: null })}
                      onClick={() => void openMoves(app, recording.id, i, j)}
                    >
                      {said}
                    </button>
                  </td>
                );
              })}
              {!filtered && <td class="dwell faint">{decimal(moves.mean_dwell[i], 1)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {list && chosen ? <ListItems recording={recording} name={list.name} /> : <p class="faint">Click a move, here or its arrow on the map, to play it wherever it happens.</p>}
    </div>
  );
}
