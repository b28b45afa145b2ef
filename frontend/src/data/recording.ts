// One recording as the page holds it: its description, and the columns of its points as they are asked for.
import { type Column, type EpisodeData, type Episodes, HIGHEST, type Limits, type Meta, NOT_PLACED, PART, type Plane, type PlaneName, type Point } from "./contract";
import type { Source } from "./source";

export type Values = Uint8Array | Uint16Array | Uint32Array | Float32Array;
const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array } as const;

export class Recording {
  readonly id: string;
  /** Points on the map. */
  readonly count: number;
  private readonly asked = new Map<string, Promise<Values>>();
  private readonly there = new Map<string, Values>();
  private readonly once = new Map<string, Promise<unknown>>();
  private readonly known = new Map<string, unknown>();
  /** Columns that the page makes itself, and how. */
  private readonly made = new Map<string, () => Promise<Values>>();
  episodes: Episodes | null = null;
  /** Of each own cluster, the cluster of the first recording whose colour it shares: itself, unless two are compared. */
  slots: number[];

  constructor(readonly meta: Meta, readonly source: Source) {
    this.id = meta.id;
    this.count = meta.num_shown;
    this.slots = meta.colors.map((_, index) => index);
  }

  column(name: string): Column | undefined {
    return this.meta.columns.find((column) => column.name === name);
  }

  /** Ask for a column; it is fetched once. */
  load(name: string, report?: (progress: number) => void): Promise<Values> {
    const known = this.asked.get(name) ?? this.made.get(name)?.();
    if (known) return known;
    const column = this.column(name);
    if (!column) return Promise.reject(new Error(`This recording has no ${name}.`));
    const asked = this.source.column(this.id, name, report).then((content) => {
      const values = new ARRAYS[column.dtype](content);
      this.there.set(name, values);
      return values;
    });
    this.asked.set(name, asked);
    asked.catch(() => this.asked.delete(name));
    return asked;
  }

  /** Offer a column that the page makes itself when it is asked for. */
  offer(name: string, make: () => Promise<Values>): void {
    this.made.set(name, make);
  }

  /** Put such a column in the place of the one before it; it is described if maps may be coloured by it. */
  put(column: Column, values: Values | null, isDescribed: boolean): void {
    const others = this.meta.columns.filter(({ name }) => name !== column.name);
    this.meta.columns = isDescribed ? [...others, column] : others;
    if (values) this.there.set(column.name, values);
    else this.there.delete(column.name);
  }

  /** A column that has been fetched. */
  get(name: string): Values | undefined {
    return this.there.get(name);
  }

  /** What a column's number stands for. */
  decode(name: string, raw: number): number {
    const column = this.column(name);
    if (!column) return raw;
    if (column.levels) return column.levels[raw] ?? raw;
    if (column.low == null || column.high == null) return raw;
    const top = column.dtype === "uint8" ? 255 : HIGHEST;
    return column.low + ((column.high - column.low) * raw) / top;
  }

  plane(name: PlaneName): Plane | undefined {
    return this.meta.planes.find((plane) => plane.name === name);
  }

  /** Planes that can be shown, now or once they are computed. */
  get planes(): Plane[] {
    return this.meta.planes.filter((plane) => plane.why_not === undefined);
  }

  /** Ask for a plane's points and limits; computing them may take a while. */
  async loadPlane(name: PlaneName, report: (progress: number) => void): Promise<Uint16Array> {
    const plane = this.plane(name);
    if (!plane || plane.why_not) throw new Error(plane?.why_not ?? `There is no plane ${name}.`);
    if (!plane.ready || !plane.limits) Object.assign(plane, await this.source.plane(this.id, name, report));
    return (await this.load(name, report)) as Uint16Array;
  }

  /** Where point `index` lies, in the unit square of a plane; null if it does not lie in it. */
  unit(name: PlaneName, index: number): Point | null {
    const points = this.get(name);
    if (!points) return null;
    const [x, y] = [points[2 * index], points[2 * index + 1]];
    return x === NOT_PLACED && y === NOT_PLACED ? null : [x / HIGHEST, y / HIGHEST];
  }

  /** Row in the table of states of point `index`. */
  rowOf(index: number): number {
    return this.count === this.meta.num_states ? index : (this.get("row")?.[index] ?? -1);
  }

  /** Point of a row, or -1 if the row is not on the map. */
  indexOf(row: number): number {
    if (this.count === this.meta.num_states) return row;
    const rows = this.get("row");
    if (!rows) return -1;
    const found = lastNotAbove(rows, row);
    return found >= 0 && rows[found] === row ? found : -1;
  }

  /** The first point whose row is not below `row`; the column "row" must be there if not all states are points. */
  firstFrom(row: number): number {
    if (this.count === this.meta.num_states) return Math.min(row, this.count);
    return lastNotAbove(this.get("row") ?? [], row - 1) + 1;
  }

  async loadEpisodes(): Promise<Episodes> {
    this.episodes ??= await this.keep("episodes", () => this.source.episodes(this.id));
    return this.episodes;
  }

  /** Number of the episode in which a row lies. */
  episodeOf(row: number): number {
    return this.episodes ? lastNotAbove(this.episodes.first_row, row) : -1;
  }

  episode(number: number): Promise<EpisodeData> {
    return this.source.episode(this.id, number);
  }

  /** Ask for something once, and again only after it failed. */
  keep<T>(name: string, ask: () => Promise<T>): Promise<T> {
    let kept = this.once.get(name) as Promise<T> | undefined;
    if (!kept) {
      kept = ask();
      this.once.set(name, kept);
      kept.then(
        (value) => this.known.set(name, value),
        () => this.once.delete(name),
      );
    }
    return kept;
  }

  /** Keep what was computed, for `now`. */
  hold(name: string, value: unknown): void {
    this.known.set(name, value);
  }

  /** Compute something once. */
  keepNow<T>(name: string, make: () => T): T {
    if (!this.known.has(name)) this.known.set(name, make());
    return this.known.get(name) as T;
  }

  /** What was asked for with `keep`, if it has come. */
  now<T>(name: string): T | undefined {
    return this.known.get(name) as T | undefined;
  }
}

/** Index of the last of ascending numbers that is not above `wanted`; -1 if all are. */
export function lastNotAbove(ascending: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Name of the column with a part of the action. */
export function partColumn(part: number): string {
  return `${PART}${part}`;
}

export function toUnit([left, right, bottom, top]: Limits, [x, y]: Point): Point {
  return [(x - left) / (right - left), (y - bottom) / (top - bottom)];
}

export function fromUnit([left, right, bottom, top]: Limits, [x, y]: Point): Point {
  return [left + x * (right - left), bottom + y * (top - bottom)];
}
