// Pointing at a state, on a map or elsewhere: a ring marks it on the map at once, and after a moment its card opens.
import type { App } from "../app";

/** Milliseconds that the pointer must rest before the card opens, and while one is open. */
const DWELL = 110;
const DWELL_OPEN = 45;

export interface Pointing {
  /** Point at a state; -1: at none. */
  at(index: number): void;
  end(): void;
}

export function pointing(app: App, rec: string): Pointing {
  let dwelling: ReturnType<typeof setTimeout> | undefined;
  return {
    at(index) {
      const { rec: where, index: before, rested } = app.hover.get();
      if (where === rec && before === index) return;
      clearTimeout(dwelling);
      if (index < 0) {
        app.hover.set({ rec: null, index: -1, rested: false });
        return;
      }
      app.hover.set({ rec, index, rested: false });
      performance.mark("ring");
      dwelling = setTimeout(() => {
        performance.mark("rested");
        app.hover.set({ rested: true });
      }, rested ? DWELL_OPEN : DWELL);
    },
    end() {
      clearTimeout(dwelling);
    },
  };
}
