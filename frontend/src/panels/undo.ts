// Taking back what was done to names and selections: by the message that says so, or with Ctrl+Z after it has gone.
import type { App, Done } from "../app";
import { sentence } from "../data/store";

/** What was done, the last at the end; each until it is taken back. */
const kept = new WeakMap<App, Done[]>();

function all(app: App): Done[] {
  const known = kept.get(app) ?? [];
  kept.set(app, known);
  return known;
}

/** Remember whatever is said to have been done. */
export function rememberWhatIsDone(app: App): void {
  app.look.subscribe(({ done }, before) => {
    if (done && done !== before.done && !all(app).includes(done)) all(app).push(done);
  });
}

/** Take back something, or what was done last. */
export async function undo(app: App, done: Done | undefined = all(app).at(-1)): Promise<void> {
  if (!done) return;
  kept.set(app, all(app).filter((other) => other !== done));
  if (app.look.get().done === done) app.look.set({ done: null });
  try {
    await done.undo();
  } catch (error) {
    app.look.set({ problem: sentence(error) });
  }
}

/** Say again that a selection was deleted, which one has gone back to; whether it was deleted here. */
export function sayDeleted(app: App, selection: string): boolean {
  const done = all(app).findLast(({ deleted }) => deleted === selection);
  if (done) app.look.set({ done });
  return done !== undefined;
}
