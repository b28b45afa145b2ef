// Changing the filters, and what follows when they change.
import type { App } from "../app";
import type { FilterColumn } from "../data/filter_columns";
import type { Recording } from "../data/recording";
import { askInside } from "./inside";

/** Apply filters whenever they change, and ask again what is inside the lasso. */
export function followFilters(app: App): void {
  app.view.subscribe((now, before) => {
    if (now.filters === before.filters || (!now.filters.length && !before.filters.length)) return;
    app.filtering.set(now.filters);
    const { rec, query } = app.lasso.get();
    if (rec && query && now.filters.join("\n") !== before.filters.join("\n")) void askInside(app, rec, query);
  });
}

export function addFilter(app: App, filter: string): void {
  const { filters } = app.view.get();
  if (!filters.includes(filter)) app.view.set({ filters: [...filters, filter] });
}

export function removeFilter(app: App, filter: string): void {
  app.view.set({ filters: app.view.get().filters.filter((other) => other !== filter) });
}

/** The filters with another one of a column in the place of those that are about it alone; null: with none. */
export function withFilter(app: App, recording: Recording, column: FilterColumn, filter: string | null): string[] {
  const { filters } = app.view.get();
  const isOwn = filters.map((other) => app.filtering.isAbout(recording, column, other));
  const [first, others] = [isOwn.indexOf(true), filters.filter((other, at) => !isOwn[at] && other !== filter)];
  if (filter === null) return others;
  const place = first < 0 ? others.length : filters.slice(0, first).filter((_, at) => !isOwn[at]).length;
  return [...others.slice(0, place), filter, ...others.slice(place)];
}
