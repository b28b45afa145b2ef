// Whether the first steps are shown: once in each browser, and again only if one asks for them.
import type { App } from "../app";

const SEEN = "semantic-rl.first-steps";
/** The browser's storage is the port's own, and files have no cookies: what is remembered is remembered in both. */
const COOKIE = "semantic-rl-first-steps=seen";
const YEAR = 365 * 24 * 3600;
export const NUM_STEPS = 3;

/** Show the first steps to who has not seen them. Where nothing can be remembered they would come again and again; in a notebook's frame, too. */
export function showFirstSteps(app: App): void {
  if (window.top !== window) return;
  try {
    if (localStorage.getItem(SEEN) === null && !document.cookie.split("; ").includes(COOKIE)) app.look.set({ step: 0 });
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
    document.cookie = `${COOKIE}; path=/; max-age=${YEAR}; samesite=strict`;
    localStorage.setItem(SEEN, "seen");
  } catch {
    // asked for by hand on a page without storage
  }
}
