// Whether the first steps are shown: once in each browser, and again only if one asks for them.
import type { App } from "../app";

const SEEN = "semantic-rl.first-steps";
export const NUM_STEPS = 3;

/** Show the first steps to who has not seen them; where nothing can be remembered, nobody does, or they would come again and again. */
export function showFirstSteps(app: App): void {
  try {
    if (localStorage.getItem(SEEN) === null) app.look.set({ step: 0 });
  } catch {
    // a page without storage
  }
}

export function toStep(app: App, step: number): void {
  if (step < NUM_STEPS) app.look.set({ step });
  else endFirstSteps(app);
}

export function endFirstSteps(app: App): void {
  app.look.set({ step: null });
  try {
    localStorage.setItem(SEEN, "seen");
  } catch {
    // asked for by hand on a page without storage
  }
}
