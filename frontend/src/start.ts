// What the page does by itself: fetch in order of need, follow the theme, keep two maps together.
import { followAddress } from "./address";
import type { App } from "./app";
import type { Comparison, Limits, PlaneName } from "./data/contract";
import { fromUnit, partColumn, type Recording, toUnit } from "./data/recording";
import { sentence } from "./data/store";
import { followFilters } from "./panels/filters";
import { followTags } from "./panels/tags";
import { rememberWhatIsDone } from "./panels/undo";
import { columnOf, loadColor } from "./map/colors";
import type { ShownMap } from "./map/shown";
import { showFirstSteps } from "./ui/first_visit";
import { listenToKeys } from "./ui/keys";
import { panelsOf } from "./ui/page";

export function begin(app: App): void {
  followFilters(app);
  followTags(app);
  rememberWhatIsDone(app);
  const address = followAddress(app);
  app.zoomed = (map) => {
    address.write();
    followZoom(app, map);
  };
  followTheme(app);
  fetchAll(app);
  addEventListener("beforeprint", fitPaper);
  listenToKeys(app, panelsOf(app));
  showFirstSteps(app);
}

/** Of a sheet of paper, what margins leave, in CSS pixels: A4 and letter are about as wide. */
const PAPER_WIDTH = 690;

/** Maps are drawn for the screen: on paper they keep their size, and are made smaller as a whole. */
function fitPaper(): void {
  const maps = document.querySelector<HTMLElement>(".maps");
  if (!maps) return;
  const { width, height } = maps.getBoundingClientRect();
  maps.style.setProperty("--screen-width", `${width}px`);
  maps.style.setProperty("--screen-height", `${height}px`);
  maps.style.setProperty("--print-zoom", Math.min(PAPER_WIDTH / width, 1).toFixed(3));
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
    if (ready) await Promise.all([recording.loadPlane(ready.name, () => undefined), need(recording, ["cluster", columnOf(color), ...all]), loadColor(recording, color)]);
    app.arrive();
    await Promise.all([recording.loadEpisodes(), need(recording, ["cluster", "action", "value", "step", "uncertainty", ...recording.meta.action_parts.slice(0, 4).map((_, part) => partColumn(part)), ...all])]);
    app.arrive();
    await wantPlane(app, app.view.get().plane);
  };
  void Promise.all(app.recordings.map(start)).catch(failed);
  app.view.subscribe((now, before) => {
    if (now.plane !== before.plane) wantPlane(app, now.plane).catch(failed);
    if (now.color === before.color) return;
    Promise.all(app.recordings.map((recording) => loadColor(recording, now.color))).then((fetched) => fetched.some(Boolean) && app.arrive(), failed);
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

/** Let two maps of one plane show the same part of it before anything is moved: all that lies on either. */
function shareHome(app: App): void {
  const limits = app.recordings.map((recording) => recording.plane("fdr")?.limits);
  if (limits.some((known) => !known)) return;
  const both = limits as Limits[];
  const [left, bottom] = [0, 2].map((at) => Math.min(...both.map((known) => known[at])));
  const [right, top] = [1, 3].map((at) => Math.max(...both.map((known) => known[at])));
  app.recordings.forEach(({ id }, at) => {
    const [x, y] = toUnit(both[at], [(left + right) / 2, (bottom + top) / 2]);
    const map = app.maps.get(id);
    const isWhole = !app.zooms[id] && (!map || map.zoom === map.home);
    app.homes[id] = { x, y, scale: (both[at][1] - both[at][0]) / Math.max(right - left, top - bottom) };
    if (isWhole) map?.follow(map.home);
  });
}

/** Where clusters of the second recording match clusters of the first, they get their colours. */
async function matchColors(app: App): Promise<void> {
  const [a, b] = app.recordings;
  const { match, kind } = await a.keep<Comparison>("compare", () => app.source.compare());
  const partner = new Map(match.map(([one, other]) => [other, one]));
  app.link = kind;
  if (kind === "same") shareHome(app);
  let next = a.meta.num_codes;
  b.slots = b.meta.colors.map((_, cluster) => partner.get(cluster) ?? next++);
  app.arrive();
}

