// Colours of the page's theme, as the canvases need them.
import type { Ink } from "./drawing";
import { rgb } from "./colors";

export interface Colors {
  ink: Ink;
  /** Of text that says less. */
  faint: string;
  ghost: readonly [number, number, number, number];
  rim: readonly [number, number, number];
}

export function readColors(): Colors {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const part = (name: string): [number, number, number] => rgb(value(name)).map((channel) => channel / 255) as [number, number, number];
  return {
    ink: {
      paper: value("--map"), ink: value("--ink"), accent: value("--accent"), line: value("--cell-line"),
      tint: Number(value("--cell-tint")),
    },
    faint: value("--ink-2"),
    ghost: [...part("--ghost"), Number(value("--ghost-opacity"))],
    rim: part("--rim"),
  };
}

/** The colours of the light or the dark theme, whichever the page shows. */
export function colorsOfTheme(dark: boolean): Colors {
  const root = document.documentElement;
  const shown = root.dataset.theme;
  root.dataset.theme = dark ? "dark" : "light";
  const colors = readColors();
  root.dataset.theme = shown; // before anything is painted
  return colors;
}
