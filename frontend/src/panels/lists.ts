// The lists of "show me": fetching one, and playing one item after the other.
import type { App } from "../app";
import type { Playlist, PlaylistItem } from "../data/contract";
import { sentence } from "../data/store";

/** "move-3-5" for the moves from cluster 3 to 5. */
export function moveName(from: number, to: number): string {
  return `move-${from}-${to}`;
}

export function movesOf(name: string): [number, number] | null {
  const found = /^move-(\d+)-(\d+)$/.exec(name);
  return found ? [Number(found[1]), Number(found[2])] : null;
}

export function loadList(app: App, rec: string, name: string): Promise<Playlist> {
  const moves = movesOf(name);
  return app.recording(rec).keep(`list ${name}`, () => (moves ? app.source.moves(rec, ...moves) : app.source.playlist(rec, name)));
}

/** Whether the state, or one of the pair, that an item is about passes the filters. */
export function itemPasses(app: App, rec: string, { row, other }: PlaylistItem): boolean {
  return app.passes(rec, row) || (other !== undefined && app.passes(rec, other));
}

/** Play an item of a list. */
export async function playItem(app: App, rec: string, name: string, item: number): Promise<void> {
  try {
    const list = await loadList(app, rec, name);
    const chosen = list.items[item];
    if (!chosen) return;
    app.view.set({ rec, list: { name, item } });
    const part: [number, number] = [chosen.first, chosen.last];
    await app.player.open(rec, chosen.episode, { row: chosen.first, part, play: true });
  } catch (error) {
    app.look.set({ problem: sentence(error) });
  }
}

/** Play the moves from one cluster to another, beginning with the first. */
export async function openMoves(app: App, rec: string, from: number, to: number): Promise<void> {
  app.view.set({ panel: "transitions", rec });
  await playItem(app, rec, moveName(from, to), 0);
}

/** Play the item after (or before) the one that is playing; false if there is none. */
export async function playNext(app: App, by: 1 | -1): Promise<boolean> {
  const { list, rec } = app.view.get();
  if (!list || list.item === null) return false;
  const { items } = await loadList(app, rec, list.name);
  let next = list.item + by;
  while (items[next] && !itemPasses(app, rec, items[next])) next += by;
  if (!items[next]) return false;
  await playItem(app, rec, list.name, next);
  return true;
}
