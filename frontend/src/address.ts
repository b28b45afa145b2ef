// The address of the page: written as one looks around, and restored when it is opened or gone back to.
import { type App, NO_LASSO } from "./app";
import { keptPaths } from "./data/paths";
import type { Recording } from "./data/recording";
import { FIRST_SHEET } from "./data/sheet";
import { sentence } from "./data/store";
import { TAG } from "./data/tags";
import { FIRST_VIEW, readHash, type View, writeHash, type Written } from "./data/view";
import { colorsOf, firstColor } from "./map/colors";
import type { ShownMap } from "./map/shown";
import { askInside, openSelection } from "./panels/inside";
import { loadList, playItem, playNext } from "./panels/lists";
import { sayDeleted } from "./panels/undo";

const WRITE_AFTER_MS = 250;
/** Browsers refuse addresses that are written much more often than this for a while. */
const WRITE_WHILE_PLAYING_MS = 1000;

/** Keep the address up to date, and follow it. Every step that one may want to take back is one of the browser's history. */
export function followAddress(app: App): { write(): void } {
  let [written, kept] = ["", ""];
  let [asked, restoring] = [0, false];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFollowed = false;

  const restore = async (): Promise<void> => {
    const mine = ++asked;
    [restoring, written] = [true, location.hash];
    try {
      await open(app, () => mine === asked);
    } catch (error) {
      app.look.set({ problem: sentence(error) });
    } finally {
      if (mine === asked) {
        restoring = false;
        clearTimeout(timer);
        timer = undefined;
        kept = essence(here(app));
        write();
      }
    }
  };

  const save = (): void => {
    timer = undefined;
    if (restoring) return;
    const now = here(app);
    const what = essence(now);
    written = writeHash(now);
    // what plays by itself is no step that one takes back
    if (what !== kept && !isFollowed) history.pushState(null, "", written);
    else if (written !== location.hash) history.replaceState(null, "", written);
    [kept, isFollowed] = [what, false];
  };
  const write = (): void => {
    timer ??= setTimeout(save, app.player.store.get().playing ? WRITE_WHILE_PLAYING_MS : WRITE_AFTER_MS);
  };
  /** Write soon what is a step of its own, though something plays. */
  const writeSoon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(save, WRITE_AFTER_MS);
  };

  app.view.subscribe(writeSoon);
  app.lasso.subscribe((now, before) => now.query !== before.query && writeSoon());
  app.player.store.subscribe((now, before) => {
    if (now.episode !== before.episode || now.playing !== before.playing) writeSoon();
    else if (now.index !== before.index) write();
  });
  app.player.ended = () => {
    isFollowed = true;
    void playNext(app, 1).then((goesOn) => (isFollowed &&= goesOn));
  };
  // one has gone back: what was to be written is not of the place that is restored in a moment
  addEventListener("popstate", () => {
    if (location.hash === written) return;
    clearTimeout(timer);
    timer = undefined;
  });
  addEventListener("hashchange", () => location.hash !== written && void restore());
  void restore();
  return { write };
}

/** What the page shows now. */
function here(app: App): Written {
  const { episode, data, index } = app.player.store.get();
  const { query } = app.lasso.get();
  const view = app.view.get();
  const zoom = Object.fromEntries([...app.maps].map(([id, map]) => [id, isMoved(map) ? map.zoom : null]));
  const lasso = view.sel || !query || "selection" in query ? null : query;
  return { view, episode, step: data?.step[index] ?? null, zoom, lasso };
}

/** What makes two addresses two steps: neither where in an episode one is, nor where on the map. */
function essence(now: Written): string {
  return writeHash({ ...now, view: { ...now.view, theme: "auto", sheet: { ...now.view.sheet, size: FIRST_SHEET.size } }, step: null, zoom: {} });
}

function isMoved({ zoom, home }: ShownMap): boolean {
  return zoom.scale !== home.scale || zoom.x !== home.x || zoom.y !== home.y;
}

/** Show what the address says, as long as it is the one that was asked for last. */
async function open(app: App, isCurrent: () => boolean): Promise<void> {
  const place = readHash(location.hash);
  const view = thatIsThere({ ...FIRST_VIEW, ...place.view }, app.recordings);
  app.view.set(view);
  app.zooms = place.zoom;
  for (const [id, map] of app.maps) map.look(place.zoom[id] ?? map.home);
  if (place.lasso) void askInside(app, view.rec, place.lasso);
  else if (!view.sel && app.lasso.get().rec) app.lasso.set(NO_LASSO);
  let part: [number, number] | undefined;
  if (view.list && view.list.item !== null) {
    const list = await loadList(app, view.rec, view.list.name);
    if (!isCurrent()) return;
    const item = list.items[view.list.item];
    const isItem = item !== undefined && (place.episode === null || item.episode === place.episode);
    if (isItem && place.step === null) await playItem(app, view.rec, view.list.name, view.list.item);
    else if (isItem) part = [item.first, item.last];
  }
  if (!isCurrent()) return;
  if (place.episode !== null) await app.player.open(view.rec, place.episode, { step: place.step ?? 0, part });
  else if (!view.list || view.list.item === null) app.player.close();
  if (view.sel && isCurrent()) await restoreSelection(app, view.rec, view.sel);
}

/** A view as an address says it, without what these recordings do not have. */
function thatIsThere(view: View, recordings: readonly Recording[]): View {
  const [first] = recordings;
  const plane = first.planes.some(({ name }) => name === view.plane) ? view.plane : (first.planes[0]?.name ?? "fdr");
  const rec = recordings.some(({ id }) => id === view.rec) ? view.rec : first.id;
  const isColor = view.color === TAG || (colorsOf(recordings).includes(view.color) && (view.color !== "cluster" || first.meta.num_codes > 0));
  const isCluster = (index: number): boolean => recordings.some(({ meta }) => index < meta.num_codes);
  return {
    ...view, plane, rec, color: isColor ? view.color : firstColor(first),
    solo: view.solo.filter(isCluster), hide: view.hide.filter(isCluster), card: view.card !== null && isCluster(view.card) ? view.card : null,
    paths: keptPaths(view.paths, ({ rec: id, episode }) => recordings.some((recording) => recording.id === id && episode < recording.meta.num_episodes)),
  };
}

async function restoreSelection(app: App, rec: string, id: string): Promise<void> {
  await app.notesOf(rec).loaded;
  const selection = app.notesOf(rec).store.get().selections.find((known) => known.id === id);
  if (selection) return openSelection(app, rec, selection);
  sayDeleted(app, id);
  app.view.set({ sel: null });
}
