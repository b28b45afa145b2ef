// The keyboard: what each key does wherever one is on the page, unless one is writing.
import { type App, NO_LASSO } from "../app";
import type { Theme } from "../data/view";
import { colorsOf } from "../map/colors";
import { playNext } from "../panels/lists";
import { openNearest } from "../panels/sheet";
import { undo } from "../panels/undo";
import { endFirstSteps } from "./first_visit";
import { TypedNumber } from "./typed_number";

export interface Key {
  keys: string;
  text: string;
}

export const HELP: readonly { title: string; keys: readonly Key[] }[] = [
  {
    title: "Map",
    keys: [
      { keys: "Point", text: "a state's card" },
      { keys: "Click", text: "play its episode" },
      { keys: "Drag, wheel", text: "move, enlarge" },
      { keys: "+ − W", text: "larger, smaller, whole map" },
      { keys: "M", text: "next plane: FDR, t-SNE, PCA" },
      { keys: "C", text: "next colouring" },
      { keys: "0 … 9", text: "a cluster alone, with Shift beside others; again: all. 12: press 1, then 2" },
      { keys: "A", text: "show all clusters" },
      { keys: "F", text: "write a filter" },
      { keys: "S", text: "states near to the one that is pointed at, or in the player" },
      { keys: "T", text: "tag the chosen states, or the one that is pointed at or in the player" },
      { keys: "L, Shift + drag", text: "lasso; with keys: arrows, Enter for a corner, Backspace takes it back, Enter again closes" },
      { keys: "P, V, N, H", text: "frames, cells, names, density" },
      { keys: "Tab, arrows, Enter", text: "go to the map, point, choose" },
      { keys: "Shift + arrows", text: "move the map that has the focus" },
    ],
  },
  {
    title: "Player",
    keys: [
      { keys: "Space", text: "play, pause" },
      { keys: "← →", text: "one step; with Shift ten" },
      { keys: ", .", text: "previous, next cluster change" },
      { keys: "[ ]", text: "previous, next episode" },
      { keys: "Home End", text: "start, end" },
      { keys: "< >", text: "slower, faster" },
      { keys: "J K", text: "next, previous of a list" },
    ],
  },
  {
    title: "Episodes",
    keys: [
      { keys: "↑ ↓ ← →", text: "to an episode, to one of its states" },
      { keys: "Enter", text: "play from there" },
      { keys: "X, Ctrl Space", text: "its path on the map, or no longer" },
      { keys: "Shift + ↑ ↓", text: "paths of several" },
      { keys: "Esc", text: "remove all paths" },
    ],
  },
  {
    title: "States, filters",
    keys: [
      { keys: "Arrows", text: "to a state; with Shift choose several" },
      { keys: "Ctrl Space", text: "choose a state, or no longer" },
      { keys: "Enter", text: "play from it" },
      { keys: "← →", text: "move the end of a range; Delete removes the filter" },
    ],
  },
  {
    title: "Page",
    keys: [
      { keys: "Alt 1 … 9", text: "panels" },
      { keys: "Ctrl Z, ⌘ Z", text: "take back a deletion, a tag, a text that was taken" },
      { keys: "Alt ←", text: "the browser’s Back: take back what was done to the view" },
      { keys: "E", text: "save a picture, tables, a clip, one file" },
      { keys: "D", text: "theme" },
      { keys: "?", text: "this help" },
      { keys: "Esc", text: "let go of help, first steps, lasso, player" },
    ],
  },
];

type Act = (app: App, shift: boolean) => unknown;

const ACTS: Record<string, Act> = {
  " ": (app) => app.player.toggle(),
  ArrowLeft: (app, shift) => app.player.step(shift ? -10 : -1),
  ArrowRight: (app, shift) => app.player.step(shift ? 10 : 1),
  Home: (app) => app.player.step(-Infinity),
  End: (app) => app.player.step(Infinity),
  ",": (app) => app.player.toChange(-1),
  ".": (app) => app.player.toChange(1),
  "[": (app) => app.player.toEpisode(-1),
  "]": (app) => app.player.toEpisode(1),
  "<": (app) => app.player.faster(-1),
  ">": (app) => app.player.faster(1),
  j: (app) => void playNext(app, 1),
  k: (app) => void playNext(app, -1),
  "+": (app) => zoom(app, 1.6),
  "=": (app) => zoom(app, 1.6),
  "-": (app) => zoom(app, 1 / 1.6),
  w: (app) => app.maps.forEach((map) => map.reset()),
  m: (app) => {
    const names = app.recordings[0].planes.map((plane) => plane.name);
    app.view.set({ plane: names[(names.indexOf(app.view.get().plane) + 1) % names.length] });
  },
  c: (app, shift) => {
    const offered = colorsOf(app.recordings);
    const at = offered.indexOf(app.view.get().color) + (shift ? -1 : 1);
    app.view.set({ color: offered[(at + offered.length) % offered.length] });
  },
  a: (app) => app.view.set({ solo: [], hide: [] }),
  p: (app) => app.recordings.some(({ meta }) => meta.has_frames) && app.view.set({ frames: !app.view.get().frames }),
  h: (app) => app.view.set({ density: !app.look.get().dense }),
  v: (app) => app.view.set({ cells: !app.view.get().cells }),
  n: (app) => app.view.set({ names: !app.view.get().names }),
  f: (app) => {
    app.view.set({ panel: "filter" });
    requestAnimationFrame(() => document.getElementById("filter-text")?.focus());
  },
  s: (app) => openNearest(app),
  t: (app) => {
    if (!app.source.live) app.look.set({ problem: "This page was exported: tags are given where the recording is, with semantic-rl explore." });
    else if (document.getElementById("tag-text") || openNearest(app)) focusOnceThere("tag-text");
  },
  l: (app) => {
    app.lasso.set({ drawing: !app.lasso.get().drawing });
    const map = app.maps.get(app.view.get().rec) ?? [...app.maps.values()][0];
    if (app.lasso.get().drawing) map?.focus(); // so that it can be drawn with keys
  },
  e: (app) => app.look.set({ save: true }),
  d: (app) => {
    const themes: Theme[] = ["auto", "light", "dark"];
    app.view.set({ theme: themes[(themes.indexOf(app.view.get().theme) + 1) % 3] });
  },
  "?": (app) => app.look.set({ help: !app.look.get().help }),
  Escape: (app) => {
    if (app.look.get().help) app.look.set({ help: false });
    else if (app.lasso.get().drawing) app.lasso.set({ drawing: false });
    else if (app.look.get().step !== null) endFirstSteps(app);
    else if (app.lasso.get().rec) {
      app.lasso.set(NO_LASSO);
      app.view.set({ sel: null });
    } else app.player.close();
  },
};

/** Focus a field that is about to appear. */
function focusOnceThere(id: string, frames = 20): void {
  const field = document.getElementById(id);
  if (field) field.focus();
  else if (frames > 0) requestAnimationFrame(() => focusOnceThere(id, frames - 1));
}

function zoom(app: App, factor: number): void {
  for (const map of app.maps.values()) map.fly(map.camera.zoomAt(map.camera.width / 2, map.camera.height / 2, factor));
}

const STEPS: Record<string, (at: number, count: number) => number> = {
  ArrowLeft: (at, count) => (at + count - 1) % count,
  ArrowUp: (at, count) => (at + count - 1) % count,
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowDown: (at, count) => (at + 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** Among tabs or options of which one is chosen, arrows choose; says whether they did. */
function chooses(target: HTMLElement, { key, altKey }: KeyboardEvent): boolean {
  const group = target.matches("[role=tab], [role=radio]") && target.closest("[role=tablist], [role=radiogroup]");
  if (!group || altKey || !STEPS[key]) return false;
  const offered = [...group.querySelectorAll<HTMLButtonElement>("[role=tab], [role=radio]")].filter((one) => !one.disabled);
  const next = offered[STEPS[key](offered.indexOf(target as HTMLButtonElement), offered.length)];
  next.click();
  next.focus();
  return true;
}

function digitOf({ code }: KeyboardEvent): string | undefined {
  return /^Digit(\d)$/.exec(code)?.[1];
}

const PRESSED = "button, a, summary, input";

export function listenToKeys(app: App, panels: readonly string[]): void {
  /** What a pointer pressed last: it has the focus, but not because one wants to press it again. */
  let pointed: Element | null = null;
  const typed = new TypedNumber();
  document.addEventListener("pointerdown", ({ target }) => (pointed = (target as Element).closest(PRESSED)), true);
  /** Whether Space plays and pauses, rather than press what has the focus. */
  const plays = (target: Element): boolean => {
    if (app.player.store.get().episode === null) return false;
    return target === pointed || target.matches("[data-plays][aria-current=true]");
  };
  document.addEventListener("keyup", (event) => {
    const target = event.target as HTMLElement;
    if (event.key === " " && target.matches(PRESSED) && plays(target)) event.preventDefault(); // Firefox presses now
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const writing = target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== "z" || event.shiftKey || writing) return;
      void undo(app);
      return event.preventDefault();
    }
    if (writing && event.key !== "Escape") return;
    if (writing) return target.blur();
    if (event.key === "Tab") pointed = null;
    if (app.look.get().help && event.key !== "Escape" && event.key !== "?") return; // a dialog has the keys to itself
    if (chooses(target, event)) return event.preventDefault();
    if (app.look.get().save) return;
    // buttons and links answer to Space and Enter themselves
    if (target.matches(PRESSED) && (event.key === "Enter" || (event.key === " " && !plays(target)))) return;
    const digit = /^\d$/.test(event.key) ? event.key : event.shiftKey && !ACTS[event.key] ? digitOf(event) : undefined;
    const panel = event.altKey ? digitOf(event) : undefined;
    if (panel) {
      const chosen = panels[Number(panel) - 1];
      if (chosen) app.view.set({ panel: chosen as never });
    } else if (digit && !event.altKey) {
      // where digits need Shift, Shift says nothing else
      const withOthers = event.shiftKey && event.key !== digit;
      const solo = typed.press(digit, event.timeStamp, app.recordings[0].meta.num_codes, app.view.get().solo, withOthers);
      if (solo) app.view.set({ solo, hide: [] });
    } else {
      const act = event.altKey ? undefined : (ACTS[event.key] ?? ACTS[event.key.toLowerCase()]);
      if (!act) return;
      act(app, event.shiftKey);
    }
    event.preventDefault();
  });
}
