// What a pointer does on a map: point at states, choose one, move and enlarge the map, draw a lasso.
import type { App } from "../app";
import type { Point } from "../data/contract";
import { fromUnit } from "../data/recording";
import { arrowAt } from "./drawing";
import { pointing } from "./dwell";
import { pressOnMap } from "./keyboard";
import type { MapView } from "./map";
import { rounded, simplified } from "./outline";
import type { Chosen } from "./shown";

/** Pixels within which a state counts as pointed at, and an arrow as clicked. */
const REACH = 14;
const ARROW_REACH = 5;
const CLICK_MOVES = 4;
const LASSO_STEP = 3;
/** Pixels by which the outline that is asked about may differ from the one that was drawn. */
const LASSO_DETAIL = 0.5;

/** Listen on a map's element; returns what ends it. */
export function listen(app: App, map: MapView, target: HTMLElement, chosen: Chosen): () => void {
  const id = map.recording.id;
  const down = new Map<number, Point>();
  let began: Point = [0, 0];
  let moved = false;
  const pointed = pointing(app, id);
  const point = pointed.at;

  const place = (event: PointerEvent | WheelEvent): Point => {
    const box = target.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  /** Ask about what lies inside an outline of the unit square. */
  const lasso = (outline: readonly Point[]): void => {
    const limits = map.plane && map.recording.plane(map.plane)?.limits;
    const corners = simplified(outline, LASSO_DETAIL / map.camera.side);
    if (limits && corners.length > 2) chosen.lasso(rounded(corners.map((at) => fromUnit(limits, at)), limits));
  };

  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    target.blur(); // with a pointer, the map needs no frame that says where the keyboard is
    target.setPointerCapture(event.pointerId);
    began = place(event);
    down.set(event.pointerId, began);
    moved = false;
    map.cross = null;
    if (down.size === 1 && (app.lasso.get().drawing || event.shiftKey)) map.drawing = [map.camera.toUnit(...began)];
  };

  const onMove = (event: PointerEvent): void => {
    const [x, y] = place(event);
    const last = down.get(event.pointerId);
    if (!last) {
      const arrow = arrowAt(map.arrows, x, y, ARROW_REACH);
      app.look.set({ arrow: arrow ? [arrow.from, arrow.to] : null });
      target.style.cursor = arrow ? "pointer" : "";
      return point(arrow ? -1 : map.pick(x, y, REACH));
    }
    if (Math.hypot(x - began[0], y - began[1]) > CLICK_MOVES) moved = true;
    if (!moved) return;
    point(-1);
    if (map.drawing) {
      const [px, py] = map.camera.toPixel(map.drawing[map.drawing.length - 1]);
      if (Math.hypot(x - px, y - py) < LASSO_STEP) return;
      map.drawing.push(map.camera.toUnit(x, y));
      map.refresh(false);
    } else if (down.size === 1) {
      map.look(map.camera.pan(x - last[0], y - last[1]));
    } else {
      const [other] = [...down].filter(([pointer]) => pointer !== event.pointerId).map(([, at]) => at);
      const spread = Math.hypot(x - other[0], y - other[1]) / Math.max(Math.hypot(last[0] - other[0], last[1] - other[1]), 1);
      map.look(map.camera.zoomAt((x + other[0]) / 2, (y + other[1]) / 2, spread));
    }
    down.set(event.pointerId, [x, y]);
  };

  const onUp = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) return;
    const [x, y] = place(event);
    const outline = map.drawing;
    map.drawing = null;
    if (outline && moved && event.type === "pointerup") {
      lasso(outline);
      return map.refresh(false);
    }
    if (moved || event.type !== "pointerup") return map.refresh(false);
    const arrow = arrowAt(map.arrows, x, y, ARROW_REACH);
    const index = arrow ? -1 : map.pick(x, y, REACH);
    if (arrow) chosen.arrow(arrow.from, arrow.to);
    else if (index >= 0) chosen.state(index);
  };

  const onLeave = (): void => {
    if (!down.size) point(-1);
  };

  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 18 : event.deltaY;
    map.look(map.camera.zoomAt(...place(event), Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0016))));
    point(-1);
  };

  const onKey = (event: KeyboardEvent): void => {
    if (!pressOnMap(app, map, event, point, { ...chosen, lasso })) return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onBlur = (): void => {
    point(-1);
    if (map.cross) [map.cross, map.drawing] = [null, null];
    map.refresh(false);
  };
  const noMenu = (event: Event): void => event.preventDefault();
  const all = {
    pointerdown: onDown, pointermove: onMove, pointerup: onUp, pointercancel: onUp, pointerleave: onLeave, wheel: onWheel,
    keydown: onKey, blur: onBlur, contextmenu: noMenu,
  } as unknown as Record<string, EventListener>;
  for (const [name, listener] of Object.entries(all)) target.addEventListener(name, listener, { passive: false });
  return () => {
    pointed.end();
    for (const [name, listener] of Object.entries(all)) target.removeEventListener(name, listener);
  };
}
