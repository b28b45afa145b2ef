// The legend below a map, as a picture: as ui/legend shows it.
import type { App } from "../app";
import type { Recording } from "../data/recording";
import { clusterColor, clusterInk, colorize, colorTitle } from "../map/colors";
import type { Colors } from "../map/ink";
import { drawBadge } from "./map_picture";
import { fitted, type Lettering, type Surface, widthOf } from "./surface";

const ROW = 24;
const EDGE = 12;
const GAP = 14;
const DOT = 5;
const BADGE_RADIUS = 8.5;
const SCALE_WIDTH = 140;
const MOST_LABEL = 200;
const TEXT: Lettering = { size: 13, color: "" };

interface Item {
  width: number;
  draw(surface: Surface, x: number, y: number): void;
}

export interface LegendPicture {
  height: number;
  draw(surface: Surface): void;
}

/** Lay out a recording's legend in a width; height is 0 if there is nothing to say. */
export function layLegend(app: App, recording: Recording, width: number, dark: boolean, { ink, faint }: Pick<Colors, "ink" | "faint">): LegendPicture {
  const items = itemsOf(app, recording, dark, ink.ink, faint);
  const rows: { item: Item; x: number }[][] = [];
  let x = Infinity;
  for (const item of items) {
    if (x + item.width > width - EDGE) {
      rows.push([]);
      x = EDGE;
    }
    rows[rows.length - 1].push({ item, x });
    x += item.width + GAP;
  }
  return {
    height: rows.length ? rows.length * ROW + EDGE : 0,
    draw(surface) {
      surface.group("legend");
      rows.forEach((row, at) => row.forEach(({ item, x: left }) => item.draw(surface, left, EDGE / 2 + (at + 0.5) * ROW)));
      surface.end();
    },
  };
}

function itemsOf(app: App, recording: Recording, dark: boolean, color: string, faint: string): Item[] {
  const { color: chosen, hide } = app.view.get();
  const { legend } = colorize(recording, app.view.get(), dark);
  const title = word(colorTitle([recording], chosen), { ...TEXT, color: faint });
  if (legend.kind === "scale") {
    const [low, high] = [legend.low, legend.high].map((text) => word(text, { ...TEXT, color }));
    const bar: Item = { width: SCALE_WIDTH, draw: (surface, x, y) => surface.scale(x, y - 5, SCALE_WIDTH, 10, legend.stops) };
    return [title, joined([low, bar, high], 8)];
  }
  if (legend.kind === "categories") {
    if (!legend.items.length) return [];
    return [title, ...legend.items.map((item) => joined([dot(item.color), word(item.label, { ...TEXT, color })], 6))];
  }
  const clusters = recording.meta.colors.map((_, cluster) => cluster).filter((cluster) => !hide.includes(recording.slots[cluster]));
  return clusters.map((cluster) => {
    const badge: Item = {
      width: 2 * BADGE_RADIUS,
      draw: (surface, x, y) => drawBadge(surface, [x + BADGE_RADIUS, y], cluster, clusterColor(recording, cluster), clusterInk(recording, cluster), 1, BADGE_RADIUS),
    };
    const name = app.notesOf(recording.id).name(cluster);
    return name ? joined([badge, word(fitted(name, MOST_LABEL, TEXT), { ...TEXT, color })], 6) : badge;
  });
}

function word(text: string, how: Lettering): Item {
  return { width: widthOf(text, how), draw: (surface, x, y) => surface.text(x, y, text, how) };
}

function dot(color: string): Item {
  return {
    width: 2 * DOT,
    draw(surface, x, y) {
      surface.fillStyle = color;
      surface.beginPath();
      surface.arc(x + DOT, y, DOT, 0, 2 * Math.PI);
      surface.fill();
    },
  };
}

/** Items beside each other that stay in one row. */
function joined(items: readonly Item[], gap: number): Item {
  const starts = items.map((_, at) => items.slice(0, at).reduce((sum, item) => sum + item.width + gap, 0));
  const width = starts[items.length - 1] + items[items.length - 1].width;
  return { width, draw: (surface, x, y) => items.forEach((item, at) => item.draw(surface, x + starts[at], y)) };
}
