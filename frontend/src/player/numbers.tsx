// What the agent observed in the state under the cursor, where that is numbers: each with its name, and where it lies
// between the least and the greatest of its episode.
import type { JSX } from "preact";
import { useApp } from "../app";
import type { Recording } from "../data/recording";
import { usePromise, useStore } from "../data/store";
import { count, decimal, short } from "../ui/format";

/** Numbers that are always shown; the others on demand. */
const MOST_SHOWN = 16;

export function Numbers({ recording, episode }: { recording: Recording; episode: number }): JSX.Element | null {
  const app = useApp();
  const { value } = usePromise(() => app.source.numbers(recording.id, episode), [recording, episode]);
  const { observation_names: names, num_observation_numbers: total } = recording.meta;
  if (value === null) return null; // an exported page does not hold them for this episode
  const one = (at: number): JSX.Element => <One name={names[at]} course={value?.numbers[at]} />;
  const [first, rest] = [names.slice(0, MOST_SHOWN), names.slice(MOST_SHOWN)];
  return (
    <div class="numbers" role="group" aria-label="observation">
      <dl>{first.map((_, at) => one(at))}</dl>
      {rest.length > 0 && (
        <details>
          <summary>{count(total - MOST_SHOWN)} more of the observation</summary>
          <dl>{rest.map((_, at) => one(MOST_SHOWN + at))}</dl>
          {total > names.length && <p class="faint">The first {count(names.length)} of {count(total)}.</p>}
        </details>
      )}
    </div>
  );
}

function One({ name, course }: { name: string; course: readonly (number | null)[] | undefined }): JSX.Element {
  const index = useStore(useApp().player.store, (state) => state.index);
  const now = course?.[index] ?? null;
  const known = course?.filter((number) => number !== null) ?? [];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const place = now === null || high <= low ? 0.5 : (now - low) / (high - low);
  const range = known.length ? `; ${short(low)} to ${short(high)} in this episode` : "";
  return (
    <div title={`${name}${range}`}>
      <dt>{name}</dt>
      <dd class="number">{course ? said(now, known) : "…"}</dd>
      <span class="range" aria-hidden="true">{now !== null && <i style={{ left: `${100 * place}%` }} />}</span>
    </div>
  );
}

/** With as many decimals for all of an episode, so that numbers do not jump. */
function said(value: number | null, course: readonly number[]): string {
  const most = Math.max(...course.map(Math.abs));
  const digits = course.every(Number.isInteger) ? 0 : Math.min(Math.max(2 - Math.floor(Math.log10(most)), 0), 4);
  return decimal(value, digits);
}
