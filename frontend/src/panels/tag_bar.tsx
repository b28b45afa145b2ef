// Below the contact sheet: the tags of the chosen states, and a field that gives them another one.
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { useApp } from "../app";
import { LONGEST_TAG } from "../data/contract";
import type { Recording } from "../data/recording";
import { sentence, useStore } from "../data/store";
import { common, numRows, rangesOf } from "../data/tag_ranges";
import { count, plural } from "../ui/format";
import { Button, Problem } from "../ui/parts";
import { giveTag, takeTag } from "./tags";

/** Without states that are chosen, the bar is about the one that others are near to. */
export function TagBar({ recording, rows, of, chooseAll }: { recording: Recording; rows: Uint32Array; of: number; chooseAll: (() => void) | null }): JSX.Element | null {
  const app = useApp();
  const notes = app.notesOf(recording.id);
  const tags = useStore(notes.store, (state) => state.tags);
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const ranges = useMemo(() => rangesOf(rows), [rows]);
  if (!rows.length || (!notes.writable && !tags.size)) return null;
  const there = [...tags].map(([tag, { states }]) => ({ tag, number: numRows(common(ranges, states)) })).filter(({ number }) => number > 0);
  const act = (done: Promise<void>): void => {
    setError(null);
    done.then(() => setText(""), (problem: unknown) => setError(sentence(problem)));
  };
  return (
    <div class="tag-bar">
      <span class="faint" role="status" data-chosen={rows.length}>{chooseAll ? `${plural(rows.length, "state")} chosen` : "this state"}</span>
      {chooseAll && rows.length < of && <Button label="Choose all states of the sheet" keys="Ctrl A" class="labelled" onClick={chooseAll}>all {count(of)}</Button>}
      {there.map(({ tag, number }) => (
        <span class="chip" key={tag} data-tag={tag}>
          <span class="name" title={tag}>{tag}</span>
          {number < rows.length && <small>{count(number)}</small>}
          {notes.writable ? <Button icon="close" label={`Remove the tag ${tag} from the chosen states`} onClick={() => act(takeTag(app, recording.id, tag, ranges))} /> : <span class="end" />}
        </span>
      ))}
      {notes.writable && (
        <form onSubmit={(event) => { event.preventDefault(); if (text.trim()) act(giveTag(app, recording.id, text.trim(), ranges)); }}>
          <input
            id="tag-text" list="tags-known" value={text} placeholder="tag (T)" aria-label={chooseAll ? "tag for the chosen states" : "tag for this state"} maxLength={LONGEST_TAG} autoComplete="off" spellcheck={false}
            onInput={(event) => { setText(event.currentTarget.value); setError(null); }}
          />
          <datalist id="tags-known">{[...tags.keys()].map((tag) => <option value={tag} key={tag} />)}</datalist>
          <button type="submit" class="button labelled" disabled={!text.trim()}>tag</button>
        </form>
      )}
      {error && <Problem text={error} />}
    </div>
  );
}
