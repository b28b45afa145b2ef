// What the keyboard does on a map that has the focus: point at states and choose one, move the map, draw a lasso.
import { type App, NO_LASSO } from "../app";
import { clamp } from "./camera";
import type { MapView } from "./map";
import type { Chosen } from "./shown";

/** Pixels that a press moves the map, and the place where the next corner of a lasso is set. */
const PAN = 60;
const CROSS = 12;
const CROSS_FINE = 2;
/** Corners nearer to each other than this are one. */
const SAME = 1;

const DIRECTIONS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

/** Answers a key that was pressed on the map; says whether it did. `point` shows the card of a state. */
export function pressOnMap(app: App, map: MapView, event: KeyboardEvent, point: (index: number) => void, chosen: Chosen): boolean {
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  if (app.lasso.get().drawing) return draw(app, map, event, chosen);
  const direction = DIRECTIONS[event.key];
  const hover = app.hover.get();
  const index = hover.rec === map.recording.id ? hover.index : -1;
  if (direction && event.shiftKey) {
    map.look(map.camera.pan(-PAN * direction[0], -PAN * direction[1]));
    point(-1);
  } else if (direction) {
    const next = neighbour(map, index, direction);
    if (next >= 0) point(next);
  } else if (event.key === "Enter" && index >= 0) {
    chosen.state(index);
  } else {
    return false;
  }
  return true;
}

/** Arrows move a cross, Enter or Space sets a corner there, and once more in the same place closes the lasso. */
function draw(app: App, map: MapView, { key, shiftKey }: KeyboardEvent, chosen: Chosen): boolean {
  const { width, height } = map.camera;
  const [x, y] = map.cross ?? [width / 2, height / 2];
  const direction = DIRECTIONS[key];
  const corners = map.drawing ?? [];
  if (direction) {
    const by = shiftKey ? CROSS_FINE : CROSS;
    map.cross = [clamp(x + by * direction[0], 0, width), clamp(y + by * direction[1], 0, height)];
  } else if (key === "Enter" || key === " ") {
    const last = corners.length ? map.camera.toPixel(corners[corners.length - 1]) : null;
    const isClosing = last !== null && Math.hypot(last[0] - x, last[1] - y) < SAME;
    if (isClosing && corners.length > 2) {
      [map.drawing, map.cross] = [null, null];
      app.lasso.set({ drawing: false });
      chosen.lasso(corners);
    } else if (!isClosing) {
      [map.drawing, map.cross] = [[...corners, map.camera.toUnit(x, y)], [x, y]];
    }
  } else if (key === "Backspace" && corners.length) {
    map.drawing = corners.length > 1 ? corners.slice(0, -1) : null;
  } else if (key === "Escape") {
    [map.drawing, map.cross] = [null, null];
    app.lasso.set(app.lasso.get().rec ? { drawing: false } : NO_LASSO);
  } else {
    return false;
  }
  map.refresh(false);
  return true;
}

/** The shown point in view that is next in a direction from another, or from the middle of the map. */
function neighbour(map: MapView, index: number, [dx, dy]: readonly [number, number]): number {
  const { width, height } = map.camera;
  const start = index >= 0 ? map.pixelOf(index) : null;
  if (!start) return map.nearest(width / 2, height / 2, Math.max(width, height));
  let [best, bestCost] = [-1, Infinity];
  for (let other = 0; other < map.recording.count; other++) {
    const pixel = map.pixelOf(other);
    if (!pixel || !map.isShown(other)) continue;
    const [x, y] = [pixel[0] - start[0], pixel[1] - start[1]];
    const [along, aside] = [x * dx + y * dy, Math.abs(x * dy) + Math.abs(y * dx)];
    // a few pixels away at least, or one would not get out of a dense spot; straight ahead rather than aside
    if (along < 5 || aside > along || pixel[0] < 0 || pixel[0] > width || pixel[1] < 0 || pixel[1] > height) continue;
    const cost = along + 2 * aside;
    if (cost < bestCost) [best, bestCost] = [other, cost];
  }
  return best;
}
