// Tagging states, and what follows when tags have changed.
import type { App } from "../app";
import { MOST_TAG_RANGES } from "../data/contract";
import { common, numRows, type Range, without } from "../data/tag_ranges";
import { codesOfTags, TAG } from "../data/tags";
import type { Values } from "../data/recording";
import { count, plural } from "../ui/format";
import { askInside } from "./inside";

/** Keep the column of tags up to date, and what filters, colours and sheets make of it. */
export function followTags(app: App): void {
  for (const recording of app.recordings) {
    const notes = app.notesOf(recording.id);
    let asked = 0;
    /** Without tags, nothing is kept of each state, unless a filter asks for it. */
    const take = async (isWanted: boolean): Promise<void> => {
      const mine = ++asked;
      if (recording.count < recording.meta.num_states) await recording.load("row");
      if (mine !== asked) return;
      const { tags } = notes.store.get();
      const hadTags = recording.column(TAG) !== undefined;
      const { codes, combinations } = codesOfTags(recording, tags);
      recording.hold("tags", combinations);
      recording.put({ name: TAG, dtype: codes instanceof Uint8Array ? "uint8" : "uint16", width: 1 }, tags.size || isWanted ? codes : null, tags.size > 0);
      if (app.filtering.renew(recording, [TAG, "tagged"])) {
        const { rec, query } = app.lasso.get();
        if (rec === recording.id && query) void askInside(app, rec, query);
      }
      if (hadTags !== tags.size > 0 || app.view.get().color === TAG) app.arrive();
    };
    recording.offer(TAG, async () => {
      await notes.loaded;
      while (!recording.get(TAG)) await take(true);
      return recording.get(TAG) as Values;
    });
    notes.store.subscribe((now, before) => now.tags !== before.tags && void take(false));
  }
}

/** Give a tag to states; those that had it already keep it when that is taken back. */
export async function giveTag(app: App, rec: string, tag: string, states: readonly Range[]): Promise<void> {
  const notes = app.notesOf(rec);
  const before = notes.store.get().tags.get(tag)?.states ?? [];
  const added = without(states, before);
  if (!added.length) return;
  if (added.length > MOST_TAG_RANGES) throw new Error(`These are ${count(numRows(added))} states in ${count(added.length)} separate runs, and a tag takes ${count(MOST_TAG_RANGES)} at most; a filter or a saved selection can hold more.`);
  const saved = await notes.changeTag(tag, { add: added });
  app.look.set({ done: { text: `Tagged ${plural(numRows(added), "state")} “${saved}”.`, undo: () => notes.changeTag(saved, { remove: added }) } });
}

/** Take a tag from those of the states that have it. */
export async function takeTag(app: App, rec: string, tag: string, states: readonly Range[]): Promise<void> {
  const notes = app.notesOf(rec);
  const removed = common(states, notes.store.get().tags.get(tag)?.states ?? []);
  if (!removed.length) return;
  await notes.changeTag(tag, { remove: removed });
  app.look.set({ done: { text: `Removed the tag “${tag}” from ${plural(numRows(removed), "state")}.`, undo: () => notes.changeTag(tag, { add: removed }) } });
}
