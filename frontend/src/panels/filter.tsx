// The filter's panel: a field for a condition, and a histogram of every column in which one chooses.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../app";
import { keptBins } from "../data/filtered";
import type { FilterColumn } from "../data/filter_columns";
import type { Recording } from "../data/recording";
import { sentence, usePromise, useStore } from "../data/store";
import { Problem, Waiting } from "../ui/parts";
import { ChoiceBars } from "./filter_bars";
import { RangeHistogram } from "./filter_histogram";
import { addFilter } from "./filters";

/** Columns that a filter can name, but whose distribution says nothing. */
const NOT_SHOWN = ["episode", "tag", "tagged"];

export function FilterPanel({ recording }: { recording: Recording }): JSX.Element {
  const app = useApp();
  useStore(app.filtering.store, (filtered) => filtered[recording.id]);
  useStore(app.view, (view) => view.filters);
  const { value: columns, error } = usePromise(() => app.filtering.columns(recording), [recording]);
  return (
    <div class="filter">
      <Expression recording={recording} columns={columns ?? []} />
      {error && <Problem text={error} />}
      {!columns && !error && <Waiting text="Fetching the columns…" />}
      {columns && <Columns recording={recording} columns={columns} />}
    </div>
  );
}

function Columns({ recording, columns }: { recording: Recording; columns: readonly FilterColumn[] }): JSX.Element {
  const shown = columns.filter(({ name }) => !NOT_SHOWN.includes(name)).map((column) => ({ column, bins: keptBins(recording, column) })).filter(({ bins }) => bins.count > 1);
  return (
    <>
      <p class="key faint">
        <span>Drag over a histogram, or choose bars.</span>
        <span class="line-key"><i aria-hidden="true" /> all states</span>
      </p>
      <div class="filter-columns">
        {shown.filter(({ bins }) => bins.edges).map(({ column, bins }) => <RangeHistogram recording={recording} column={column} bins={bins} key={column.name} />)}
      </div>
      <div class="filter-columns">
        {shown.filter(({ bins }) => bins.labels).sort((one, other) => one.bins.count - other.bins.count).map(({ column, bins }) => <ChoiceBars recording={recording} column={column} bins={bins} key={column.name} />)}
      </div>
    </>
  );
}

function Expression({ recording, columns }: { recording: Recording; columns: readonly FilterColumn[] }): JSX.Element {
  const app = useApp();
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const add = async (): Promise<void> => {
    try {
      const complaint = await app.filtering.complaint(recording, text.trim());
      setError(complaint);
      if (complaint) return;
      addFilter(app, text.trim());
      setText("");
    } catch (problem) {
      setError(sentence(problem));
    }
  };
  const example = columns.some(({ name }) => name === "cluster") && columns.some(({ name }) => name === "value") ? "value < 2 and cluster in (3, 5)" : "time < 50% and length > 20";
  return (
    <>
      <form class="expression" onSubmit={(event) => { event.preventDefault(); void add(); }}>
        <input
          id="filter-text" value={text} placeholder={example} aria-label="condition, as in value < 2 and cluster in (3, 5)" aria-invalid={error !== null}
          aria-describedby={error ? "filter-error" : undefined} autoComplete="off" spellcheck={false}
          onInput={(event) => { setText(event.currentTarget.value); setError(null); }}
        />
        <button type="submit" class="button labelled" disabled={!text.trim()}>filter</button>
      </form>
      {error && <div id="filter-error"><Problem text={error} /></div>}
      {columns.length > 0 && <details class="faint"><summary>How conditions are written</summary><p>
        Compare a column with a number or a word: <code>value &lt; 2</code>, <code>10 &lt;= length &lt; 50</code>, <code>time &gt; 90%</code>, <code>cluster in (3, 5)</code>.
        Join conditions with <code>and</code>, <code>or</code>, <code>not</code> and parentheses; put names and words with spaces in quotation marks. Columns: {columns.map(({ name }) => name).join(", ")}.
      </p></details>}
    </>
  );
}
