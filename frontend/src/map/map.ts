// One map: its canvases, what is drawn on them when, and the move from one plane to another.
import type { App } from "../app";
import type { PlaneName, Point } from "../data/contract";
import { placeOf } from "../data/paths";
import { type Recording, toUnit } from "../data/recording";
import type { Zoom } from "../data/view";
import { Camera, clamp, WHOLE } from "./camera";
import { codeCells, marksInside } from "./cells";
import { clusterColor, type Coloring, colorize } from "./colors";
import { type Arrow, drawArrow, drawCells, drawCross, drawLasso, drawPath, fit } from "./drawing";
import { Grid } from "./grid";
import { type Colors, readColors } from "./ink";
import { Labels } from "./labels";
import { arrowsBetween, pathOf, shelfOf, visibleStates } from "./overlays";
import { drawPaths } from "./paths";
import { densestOf } from "./overlays";
import { densityLook, pointLook, Points, shadowOf } from "./points";
import type { ShownMap } from "./shown";
import { Thumbnails } from "./thumbnails";

const MOVE_MS = 850;
const FLY_MS = 260;

export class MapView implements ShownMap {
  readonly camera = new Camera();
  /** Arrows between clusters that are in view now. */
  arrows: Arrow[] = [];
  /** A lasso being drawn, in the unit square. */
  drawing: Point[] | null = null;
  /** Pixel where the keyboard sets the next corner of a lasso; null while it does not draw. */
  cross: Point | null = null;
  private readonly points: Points;
  private readonly labels: Labels;
  private readonly ends: (() => void)[] = [];
  private colors: Colors = readColors();
  private readonly thumbnails: Thumbnails;
  private states: Uint8Array = new Uint8Array(256);
  marks: Uint8Array | null = null;
  private coloring: Coloring | null = null;
  private inLasso: { polygon: readonly Point[]; points: Uint16Array; marks: Uint8Array } | null = null;
  private planes: { from: PlaneName; to: PlaneName; began: number } | null = null;
  private flight: { from: Zoom; to: Zoom; began: number } | null = null;
  private grid: { plane: PlaneName; grid: Grid } | null = null;
  private wanted = 0;
  private firstTime = true;
  private stale = { points: true, flat: true };

  constructor(
    private readonly app: App,
    readonly recording: Recording,
    readonly host: HTMLElement,
    private readonly layers: { under: HTMLCanvasElement; points: HTMLCanvasElement; over: HTMLCanvasElement; names: HTMLElement },
  ) {
    this.points = new Points(layers.points, recording.count);
    this.labels = new Labels(layers.names, recording, app.notesOf(recording.id));
    this.camera.zoom = app.zooms[recording.id] ?? WHOLE;
    this.thumbnails = new Thumbnails(shelfOf(app, this));
    const size = new ResizeObserver(() => this.measure());
    size.observe(host);
    this.ends.push(
      () => size.disconnect(),
      app.view.subscribe((now, before) => {
        if (now.plane !== before.plane) this.show();
        if (now.color !== before.color || now.scales !== before.scales || now.grouped !== before.grouped) this.recolor();
        if (now.density !== before.density) this.refresh(true);
        if (now.solo !== before.solo || now.hide !== before.hide) this.regroup();
        this.refresh(false);
      }),
      app.look.subscribe((now, before) => {
        if (now.dark !== before.dark) this.colors = readColors();
        if (now.dark !== before.dark || now.arrived !== before.arrived) this.restart();
        this.refresh(false);
      }),
      app.lasso.subscribe(() => this.remark()),
      app.filtering.store.subscribe(() => this.remark()),
      app.player.store.subscribe((now, before) => {
        if (now.data !== before.data || now.index !== before.index) this.refresh(false);
      }),
      app.notesOf(recording.id).store.subscribe(() => {
        this.labels.rename();
        this.refresh(false);
      }),
    );
    this.measure();
    this.restart();
  }

  destroy(): void {
    cancelAnimationFrame(this.wanted);
    this.thumbnails.clear();
    for (const end of this.ends) end();
  }

  /** The plane that is shown, or moved to; null while none is there. */
  get plane(): PlaneName | null {
    return this.planes?.to ?? null;
  }

  get zoom(): Zoom {
    return this.flight?.to ?? this.camera.zoom;
  }

  get home(): Zoom {
    return (this.plane === "fdr" && this.app.homes[this.recording.id]) || WHOLE;
  }

  look(zoom: Zoom): void {
    this.follow(zoom);
    this.app.zoomed(this);
  }

  /** Look somewhere because another map does. */
  follow(zoom: Zoom): void {
    this.flight = null;
    this.camera.zoom = zoom;
    this.refresh(true);
  }

  fly(zoom: Zoom): void {
    if (still()) return this.look(zoom);
    this.flight = { from: this.camera.zoom, to: zoom, began: performance.now() };
    this.app.zoomed(this);
    this.refresh(true);
  }

  reset(): void {
    this.fly(this.home);
  }

  focus(): void {
    this.layers.over.focus({ preventScroll: true });
  }

  /** Pixel of a point; null if it does not lie in the plane. */
  pixelOf(index: number): Point | null {
    const unit = this.plane && this.recording.unit(this.plane, index);
    return unit ? this.camera.toPixel(unit) : null;
  }

  /** Whether a point is shown, and not as a shadow. */
  isShown(index: number): boolean {
    const cluster = this.recording.get("cluster")?.[index] ?? 0;
    return this.states[cluster] === 2 && (!this.marks || this.marks[index] === 1);
  }

  /** The shown point whose picture is at a pixel, else the nearest within `reach` pixels; -1 if there is none. */
  pick(px: number, py: number, reach: number): number {
    const pictured = this.thumbnails.at(px, py);
    return pictured >= 0 ? pictured : this.nearest(px, py, reach);
  }

  /** The shown point nearest to a pixel, within `reach` pixels; -1 if there is none. */
  nearest(px: number, py: number, reach: number, accept: (index: number) => boolean = () => true): number {
    const points = this.plane && (this.recording.get(this.plane) as Uint16Array | undefined);
    if (!this.plane || !points) return -1;
    if (this.grid?.plane !== this.plane) this.grid = { plane: this.plane, grid: new Grid(points) };
    const [x, y] = this.camera.toUnit(px, py);
    return this.grid.grid.nearest(x, y, reach / this.camera.side, (index) => this.isShown(index) && accept(index));
  }

  /** Draw again in the next frame. */
  refresh(points: boolean): void {
    this.stale = { points: this.stale.points || points, flat: true };
    if (!this.wanted) this.wanted = requestAnimationFrame(this.frame);
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    [this.camera.width, this.camera.height] = [width, height];
    const { points } = this.layers;
    [points.width, points.height] = [Math.round(width * pixelRatio()), Math.round(height * pixelRatio())];
    this.refresh(true);
  }

  /** Take up columns, planes and colours that may have come. */
  private restart(): void {
    this.labels.forget();
    this.show();
    this.recolor();
    this.regroup();
    this.remark();
  }

  /** Show the plane that is asked for, or the first that this recording has. */
  private show(): void {
    const { recording, app } = this;
    const wanted = app.view.get().plane;
    const loaded = recording.planes.map((plane) => plane.name).filter((plane) => recording.get(plane));
    const waits = this.planes && recording.planes.some((plane) => plane.name === wanted);
    const name = loaded.includes(wanted) ? wanted : waits ? null : loaded[0];
    if (!name || name === this.planes?.to) return;
    const from = this.planes?.to ?? name;
    const isWhole = this.zoom === this.home;
    this.planes = { from, to: name, began: still() ? -Infinity : performance.now() };
    this.points.setPlanes(recording.get(from) as Uint16Array, recording.get(name) as Uint16Array);
    this.host.dataset.plane = name;
    if (isWhole) this.follow(this.home);
    this.refresh(true);
  }

  private recolor(): void {
    const before = this.coloring;
    const now = colorize(this.recording, this.app.view.get(), this.app.look.get().dark);
    this.points.setTones(now.values, now.colors, now.low, now.high);
    if (before?.isMade && before.values && before.values !== now.values) this.points.forget(before.values);
    this.coloring = now;
    this.refresh(true);
  }

  private regroup(): void {
    this.states = visibleStates(this.recording, this.app.view.get());
    this.points.setGroups(this.recording.get("cluster") ?? null, this.states);
    this.labels.dim(this.states);
    this.refresh(true);
  }

  /** Mark the points that are shown: those that pass the filters, and lie inside the lasso. */
  private remark(): void {
    const before = this.marks;
    const [inLasso, passing] = [this.marksInLasso(), this.app.filtering.mask(this.recording.id)];
    this.marks = inLasso && passing ? inLasso.map((marked, index) => marked & passing[index]) : (inLasso ?? passing);
    if (this.marks === before) return this.refresh(false);
    this.points.setMarks(this.marks);
    if (before) this.points.forget(before);
    this.refresh(true);
  }

  /** Points inside the lasso, by where they lie in the plane in which it was drawn; null without one. */
  private marksInLasso(): Uint8Array | null {
    const { rec, plane, polygon } = this.app.lasso.get();
    const limits = plane && this.recording.plane(plane)?.limits;
    const points = plane && (this.recording.get(plane) as Uint16Array | undefined);
    const isShown = rec === this.recording.id && limits && points && polygon.length > 2;
    if (!isShown) return (this.inLasso = null);
    if (this.inLasso?.polygon !== polygon || this.inLasso.points !== points) {
      this.inLasso = { polygon, points, marks: marksInside(points, polygon.map((point) => toUnit(limits, point))) };
    }
    return this.inLasso.marks;
  }

  /** How far the points have moved to the plane, 0 to 1, slowly at both ends. */
  private moved(now: number): number {
    const share = this.planes ? clamp((now - this.planes.began) / MOVE_MS, 0, 1) : 1;
    return share < 0.5 ? 4 * share ** 3 : 1 - (2 - 2 * share) ** 3 / 2;
  }

  private readonly frame = (now: number): void => {
    this.wanted = 0;
    if (this.flight) {
      const share = clamp((now - this.flight.began) / FLY_MS, 0, 1);
      const along = 1 - (1 - share) ** 3;
      const { from, to } = this.flight;
      const scale = from.scale * (to.scale / from.scale) ** along;
      this.camera.zoom = { x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along, scale };
      if (share === 1) [this.flight, this.camera.zoom] = [null, to];
      this.stale = { points: true, flat: true };
    }
    const moved = this.moved(now);
    if (moved < 1) this.stale = { points: true, flat: true };
    if (this.planes) this.drawPoints(moved);
    if (this.stale.flat) this.drawFlat(moved);
    const more = this.flight || moved < 1 || (this.planes && !this.points.done);
    this.stale = { points: moved < 1, flat: moved < 1 };
    if (more && !this.wanted) this.wanted = requestAnimationFrame(this.frame);
  };

  private drawPoints(moved: number): void {
    const { camera, colors, recording } = this;
    if (this.stale.points) {
      const most = Math.max(...this.app.recordings.map((other) => other.count), 1); // two maps have points of one size
      const { size, opacity, isDense } = pointLook(recording.count, most, camera);
      const { rim } = colors;
      const ghost = shadowOf(colors, opacity);
      const isSummed = (this.app.view.get().density ?? isDense) && this.points.canSum && this.planes;
      this.host.dataset.density = isSummed ? "yes" : "no"; // for tests and scripts
      this.app.look.set({ dense: Boolean(isSummed) });
      const density = isSummed && this.planes ? densityLook(densestOf(recording, this.planes.to), camera, pixelRatio()) : null;
      const look = { density, center: [camera.zoom.x, camera.zoom.y] as Point, scale: camera.scale, moved, opacity, ghost, rim };
      this.points.begin({ ...look, size: size * pixelRatio() });
    }
    if (!this.points.done) this.points.step();
    if (this.firstTime) this.points.finished(() => performance.mark("points-begun"));
    if (this.points.done && this.firstTime) {
      this.firstTime = false;
      this.points.finished(() =>
        requestAnimationFrame(() => {
          this.host.dataset.drawn = "yes";
          performance.mark("points-drawn");
        }),
      );
    }
  }

  private drawFlat(moved: number): void {
    const { camera, colors, recording, app, layers } = this;
    const [view, lasso, { data, first, index, rec }] = [app.view.get(), app.lasso.get(), app.player.store.get()];
    const { width, height } = camera;
    const under = fit(layers.under, width, height, pixelRatio());
    const planes = this.planes;
    const limits = recording.plane("fdr")?.limits;
    const share = planes ? (planes.to === "fdr" ? moved : 0) + (planes.from === "fdr" ? 1 - moved : 0) : 0;
    if (view.cells && limits && share > 0.01) {
      layers.under.style.opacity = String(share);
      const cells = codeCells(recording.meta.codebook.map((code) => toUnit(limits, code)), camera.corners());
      const tints = cells.map((_, k) => (view.color === "cluster" && this.states[k] === 2 ? clusterColor(recording, k) : null));
      drawCells(under, cells, tints, camera, colors.ink);
    }
    const over = fit(layers.over, width, height, pixelRatio());
    const places = this.labels.places(planes, moved);
    this.arrows = view.panel === "transitions" && view.rec === recording.id ? arrowsBetween(app, recording, places, camera) : [];
    if (!view.frames) this.thumbnails.clear();
    else if (moved === 1 && planes) {
      this.thumbnails.want([planes.to, view.solo, view.hide, lasso.polygon.length && lasso.polygon, view.filters.join(), app.look.get().arrived].join(" "));
      this.thumbnails.draw(over, colors.ink.ink);
    }
    const lit = app.look.get().arrow;
    for (const arrow of this.arrows) {
      const isLit = lit?.[0] === arrow.from && lit[1] === arrow.to;
      over.globalAlpha = data && !isLit ? 0.3 : 1;
      drawArrow(over, arrow, colors.ink, isLit);
    }
    over.globalAlpha = 1;
    if (planes && view.paths.length) {
      const badges = view.names ? places.flatMap((place) => (place ? [camera.toPixel(place)] : [])) : [];
      drawPaths(over, recording, view.paths, planes, moved, camera, colors.ink, badges);
    }
    if (planes && data && (rec === recording.id || app.twin(rec, data.first_row, recording) >= 0)) {
      drawPath(over, pathOf(recording, data, rec === recording.id, planes, moved), first, index, camera, colors.ink, placeOf(view.paths, rec, data.episode) >= 0);
    }
    const { cross } = this;
    if (this.drawing) drawLasso(over, cross ? [...this.drawing, camera.toUnit(...cross)] : this.drawing, false, camera, colors.ink);
    if (cross) drawCross(over, cross, colors.ink);
    const own = lasso.plane && recording.plane(lasso.plane)?.limits;
    if (lasso.rec === recording.id && own && lasso.plane === planes?.to && moved === 1) {
      drawLasso(over, lasso.polygon.map((point) => toUnit(own, point)), true, camera, colors.ink);
    }
    this.labels.put(places, camera, view.names);
  }
}

function pixelRatio(): number {
  return Math.min(window.devicePixelRatio || 1, 2);
}

function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
