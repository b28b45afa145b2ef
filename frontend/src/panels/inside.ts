// Asks what is inside a lasso, and keeps the answer that was asked for last.
import { type App, NO_LASSO } from "../app";
import type { InsideQuery, Selection } from "../data/contract";
import { sentence } from "../data/store";

let asked = 0;

export async function askInside(app: App, rec: string, query: InsideQuery): Promise<void> {
  const mine = ++asked;
  const drawn = "polygon" in query ? { plane: query.plane, polygon: query.polygon } : { plane: null, polygon: [] };
  app.lasso.set({ ...NO_LASSO, rec, query, ...drawn });
  try {
    await app.filtering.settled();
    const inside = await app.source.inside(rec, query, app.filtering.mask(rec));
    if (mine === asked) app.lasso.set({ inside });
  } catch (error) {
    if (mine === asked) app.lasso.set({ error: sentence(error) });
  }
}

/** Show a named selection: its outline, its plane and what is inside. */
export function openSelection(app: App, rec: string, selection: Selection): Promise<void> {
  app.view.set({ sel: selection.id, panel: "lasso", plane: selection.plane, rec });
  return askInside(app, rec, { plane: selection.plane, polygon: selection.polygon });
}
