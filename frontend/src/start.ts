// What the page does by itself: restore an address and write it, fetch in order of need, follow the theme.
import type { App } from "./app";
import type { Comparison, PlaneName } from "./data/contract";
import { fromUnit, partColumn, type Recording, toUnit } from "./data/recording";
import { sentence } from "./data/store";
import { FIRST_VIEW, readHash, writeHash } from "./data/view";
import { colorsOf, columnOf, firstColor } from "./map/colors";
import type { ShownMap } from "./map/shown";
import { openSelection } from "./panels/inside";
import { loadList, playItem, playNext } from "./panels/lists";
import { listenToKeys } from "./ui/keys";
import { panelsOf } from "./ui/page";

const WRITE_AFTER_MS = 250;

export function begin(app: App): void {
  let written = "";
  const restore = async (): Promise<void> => {
    written = location.hash;
    const place = readHash(location.hash);
    const view = { ...FIRST_VIEW, ...place.view };
    const [first] = app.recordings;
    if (!first.planes.some((plane) => plane.name === view.plane)) view.plane = first.planes[0]?.name ?? "fdr";
    if (!app.recordings.some((recording) => recording.id === view.rec)) view.rec = first.id;
    if (!colorsOf(app.recordings).includes(view.color) || (view.color === "cluster" && !first.meta.num_codes)) view.color = firstColor(first);
    app.view.set(view);
    app.zooms = place.zoom;
    for (const [id, map] of app.maps) if (place.zoom[id]) map.look(place.zoom[id]);
    try {
      if (view.list && view.list.item !== null) {
        const list = await loadList(app, view.rec, view.list.name);
        const item = list.items[view.list.item];
        const isItem = item && (place.episode === null || item.episode === place.episode);
        if (isItem && place.step === null) await playItem(app, view.rec, view.list.name, view.list.item);
      }
      if (place.episode !== null) await app.player.open(view.rec, place.episode, { step: place.step ?? 0 });
      if (view.sel) await restoreSelection(app, view.rec, view.sel);
    } catch (error) {
      app.look.set({ problem: sentence(error) });
    }
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const { episode, data, index, playing } = app.player.store.get();
      if (playing) return write();
      const zoom = Object.fromEntries([...app.maps].map(([id, map]) => [id, moved(map.zoom) ? map.zoom : null]));
      written = writeHash({ view: app.view.get(), episode, step: data?.step[index] ?? null, zoom });
      if (written !== location.hash) history.replaceState(null, "", written);
    }, WRITE_AFTER_MS);
  };
  app.zoomed = (map) => {
    write();
    followZoom(app, map);
  };
  app.view.subscribe(write);
  app.player.store.subscribe((now, before) => {
    if (now.index !== before.index || now.episode !== before.episode || now.playing !== before.playing) write();
  });
  app.player.ended = () => void playNext(app, 1);
  addEventListener("hashchange", () => location.hash !== written && void restore());

  followTheme(app);
  void restore();
  fetchAll(app);
  listenToKeys(app, panelsOf(app));
}

function moved(zoom: { x: number; y: number; scale: number }): boolean {
  return zoom.scale !== 1 || zoom.x !== 0.5 || zoom.y !== 0.5;
}

async function restoreSelection(app: App, rec: string, id: string): Promise<void> {
  await app.notesOf(rec).loaded;
  const selection = app.notesOf(rec).store.get().selections.find((known) => known.id === id);
  if (selection) await openSelection(app, rec, selection);
  else app.view.set({ sel: null });
}

function followTheme(app: App): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => {
    const { theme } = app.view.get();
    const dark = theme === "dark" || (theme === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    app.look.set({ dark });
  };
  system.addEventListener("change", apply);
  app.view.subscribe((now, before) => now.theme !== before.theme && apply());
  apply();
}

/** First what the map needs, then what a card and a click need, then the other planes. */
function fetchAll(app: App): void {
  const failed = (error: unknown): void => app.look.set({ problem: sentence(error) });
  const need = async (recording: Recording, names: readonly string[]): Promise<void> => {
    const offered = names.filter((name) => recording.column(name));
    await Promise.all(offered.map((name) => recording.load(name)));
  };
  const start = async (recording: Recording): Promise<void> => {
    if (!recording.count) return;
    const { plane, color } = app.view.get();
    const ready = recording.planes.find((known) => known.name === plane && known.ready) ?? recording.planes.find((known) => known.ready);
    const all = recording.count < recording.meta.num_states ? ["row"] : [];
    if (ready) await Promise.all([recording.loadPlane(ready.name, () => undefined), need(recording, ["cluster", columnOf(color), ...all])]);
    app.arrive();
    await Promise.all([recording.loadEpisodes(), need(recording, ["cluster", "action", "value", "step", "uncertainty", ...recording.meta.action_parts.slice(0, 4).map((_, part) => partColumn(part)), ...all])]);
    app.arrive();
    await wantPlane(app, app.view.get().plane);
  };
  void Promise.all(app.recordings.map(start)).catch(failed);
  app.view.subscribe((now, before) => {
    if (now.plane !== before.plane) wantPlane(app, now.plane).catch(failed);
    if (now.color === before.color) return;
    const column = columnOf(now.color);
    const having = app.recordings.filter((recording) => recording.column(column) && !recording.get(column));
    if (having.length) Promise.all(having.map((recording) => recording.load(column))).then(() => app.arrive(), failed);
  });
  for (const recording of app.recordings) app.notesOf(recording.id).load().catch(failed);
  if (app.recordings.length > 1) matchColors(app).catch(failed);
}

async function wantPlane(app: App, name: PlaneName): Promise<void> {
  const report = (progress: number): void => app.look.set({ computing: { ...app.look.get().computing, [name]: progress } });
  const having = app.recordings.filter((recording) => recording.planes.some((plane) => plane.name === name) && !recording.get(name));
  if (!having.length) return;
  try {
    await Promise.all(having.map((recording) => recording.loadPlane(name, report)));
  } finally {
    const { [name]: _, ...others } = app.look.get().computing;
    app.look.set({ computing: others });
    app.arrive();
  }
}

/** Where two maps show the same plane, what one looks at the other does too. */
function followZoom(app: App, map: ShownMap): void {
  const limits = map.plane && map.recording.plane(map.plane)?.limits;
  if (app.link !== "same" || map.plane !== "fdr" || !limits) return;
  for (const other of app.maps.values()) {
    const theirs = other.recording.plane("fdr")?.limits;
    if (other === map || other.plane !== "fdr" || !theirs) continue;
    const { x, y, scale } = map.zoom;
    const [left, bottom] = toUnit(theirs, fromUnit(limits, [x, y]));
    other.follow({ x: left, y: bottom, scale: (scale * (theirs[1] - theirs[0])) / (limits[1] - limits[0]) });
  }
}

/** Where clusters of the second recording match clusters of the first, they get their colours. */
async function matchColors(app: App): Promise<void> {
  const [a, b] = app.recordings;
  const { match, kind } = await a.keep<Comparison>("compare", () => app.source.compare());
  const partner = new Map(match.map(([one, other]) => [other, one]));
  app.link = kind;
  let next = a.meta.num_codes;
  b.slots = b.meta.colors.map((_, cluster) => partner.get(cluster) ?? next++);
  app.arrive();
}

