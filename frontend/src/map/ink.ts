// Colours of the page's theme, as the canvases need them.
import type { Ink } from "./drawing";
import { rgb } from "./colors";

export interface Colors {
  ink: Ink;
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
    ghost: [...part("--ghost"), Number(value("--ghost-opacity"))],
    rim: part("--rim"),
  };
}
