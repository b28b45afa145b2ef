// What the filters leave of each recording, kept up to date as filters change and columns come.
import { binsOf, type Bins } from "./filter_bins";
import { columnNamed, episodesOfPoints, type FilterColumn, filterColumns } from "./filter_columns";
import { columnsIn, FilterError, parseFilter } from "./filter_expression";
import { FilterMask } from "./filter_mask";
import type { Recording } from "./recording";
import { Store } from "./store";
import { TAG } from "./tags";

/** What is left of a recording. */
export interface Filtered {
  /** 1 for each point that passes; null if all do, because there is no filter. */
  mask: Uint8Array | null;
  count: number;
  numEpisodes: number;
  /** Why filters are not applied, by their text. */
  wrong: ReadonlyMap<string, string>;
}

export class Filtering {
  /** Of each recording, by its id; absent while it has never been filtered. */
  readonly store = new Store<Record<string, Filtered>>({});
  private readonly masks = new Map<string, FilterMask>();
  private filters: readonly string[] = [];
  private work: Promise<void> = Promise.resolve();
  private asked = 0;

  constructor(private readonly recordings: readonly Recording[]) {}

  of(id: string): Filtered | null {
    return this.store.get()[id] ?? null;
  }

  /** 1 for each point of a recording that passes; null if there is no filter. */
  mask(id: string): Uint8Array | null {
    return this.of(id)?.mask ?? null;
  }

  /** Resolves once what was set last is applied. */
  async settled(): Promise<void> {
    const work = this.work;
    await work;
    if (work !== this.work) await this.settled();
  }

  /** Apply these filters: at once if their columns are there. */
  set(filters: readonly string[]): void {
    this.filters = filters;
    const mine = ++this.asked;
    if (this.recordings.every((recording) => isReady(recording, filters))) {
      this.apply();
      this.work = Promise.resolve();
      return;
    }
    this.work = Promise.all(this.recordings.map((recording) => fetchFor(recording, filters))).then(() => {
      if (mine === this.asked) this.apply();
    });
  }

  /** All columns of a recording, with their numbers; tags are numbered when a filter asks for them. */
  async columns(recording: Recording): Promise<FilterColumn[]> {
    await fetchEpisodes(recording);
    const columns = columnsOf(recording);
    await Promise.all(columns.map(({ source }) => source && source !== TAG && recording.load(source)));
    return columns;
  }

  /** Apply the filters again if they compare one of some columns, whose numbers have changed; says whether they do. */
  renew(recording: Recording, names: readonly string[]): boolean {
    const compares = (filter: string): boolean => {
      try {
        return [...columnsIn(parseFilter(filter))].some((name) => names.includes(name.toLowerCase()));
      } catch (error) {
        if (error instanceof FilterError) return false;
        throw error;
      }
    };
    if (!this.filters.some(compares)) return false;
    this.masks.delete(recording.id);
    this.set([...this.filters]);
    return true;
  }

  /** One column of a recording, with its numbers; throws FilterError if there is none of this name. */
  async column(recording: Recording, name: string): Promise<FilterColumn> {
    await fetchEpisodes(recording);
    const column = columnNamed(columnsOf(recording), name);
    if (column.source) await recording.load(column.source);
    return column;
  }

  /** The names of all columns, once the episodes have come. */
  names(recording: Recording): string[] {
    return recording.episodes ? columnsOf(recording).map(({ name }) => name) : [];
  }

  /** How many points of each bin pass the filters of other columns, and which codes the column's own filters choose. */
  histogram(recording: Recording, column: FilterColumn, bins: Bins): { counts: Uint32Array; chosen: Uint8Array | null } {
    if (!this.filters.length) return { counts: allCounts(recording, column), chosen: null };
    const mask = this.maskOf(recording);
    return { counts: mask.histogram(column, bins.of, bins.count + 1), chosen: mask.chosen(column) };
  }

  /** Whether a filter compares this column and no other. */
  isAbout(recording: Recording, column: FilterColumn, filter: string): boolean {
    try {
      const names = [...columnsIn(parseFilter(filter))];
      return names.every((name) => columnNamed(columnsOf(recording), name).name === column.name);
    } catch (error) {
      if (error instanceof FilterError) return false;
      throw error;
    }
  }

  /** What is wrong with a filter of a recording, as a sentence; null if nothing is. */
  async complaint(recording: Recording, filter: string): Promise<string | null> {
    await fetchFor(recording, [filter]);
    return new FilterMask(0).apply([filter], columnsOf(recording)).get(filter) ?? null;
  }

  private maskOf(recording: Recording): FilterMask {
    const known = this.masks.get(recording.id) ?? new FilterMask(recording.count);
    this.masks.set(recording.id, known);
    return known;
  }

  private apply(): void {
    const { filters } = this;
    const all: Record<string, Filtered> = {};
    for (const recording of this.recordings) {
      const count = recording.count;
      if (!filters.length) {
        if (this.masks.has(recording.id)) this.maskOf(recording).apply([], []);
        all[recording.id] = { mask: null, count, numEpisodes: recording.meta.num_episodes, wrong: new Map() };
        continue;
      }
      const mask = this.maskOf(recording);
      const wrong = mask.apply(filters, columnsOf(recording));
      const isNone = filters.every((filter) => wrong.has(filter));
      const visible = mask.visible();
      all[recording.id] = {
        mask: isNone ? null : visible.mask, count: visible.count, wrong,
        numEpisodes: isNone ? recording.meta.num_episodes : countEpisodes(recording, visible.mask),
      };
    }
    performance.mark("filtered");
    this.store.set(all);
  }
}

function columnsOf(recording: Recording): FilterColumn[] {
  return recording.keepNow("columns of filters", () => filterColumns(recording));
}

/** The bins of a column, computed once. */
export function keptBins(recording: Recording, column: FilterColumn): Bins {
  return recording.keepNow(`bins ${column.name}`, () => binsOf(column));
}

/** Points of each bin, whatever the filters are. */
export function allCounts(recording: Recording, column: FilterColumn): Uint32Array {
  return recording.keepNow(`counts ${column.name}`, () => {
    const { of, count } = keptBins(recording, column);
    const codes = column.codes();
    const counts = new Uint32Array(count + 1);
    for (let index = 0; index < recording.count; index++) counts[of[codes[index]]]++;
    return counts;
  });
}

/** The recording's columns that filters need. */
function sources(recording: Recording, filters: readonly string[]): string[] {
  const columns = columnsOf(recording);
  return filters.flatMap((filter) => {
    try {
      return [...columnsIn(parseFilter(filter))].map((name) => columnNamed(columns, name).source).filter((source) => source !== null);
    } catch (error) {
      if (error instanceof FilterError) return []; // said when it is applied
      throw error;
    }
  });
}

function isReady(recording: Recording, filters: readonly string[]): boolean {
  if (!filters.length) return true;
  if (!recording.episodes || (recording.count < recording.meta.num_states && !recording.get("row"))) return false;
  return sources(recording, filters).every((source) => recording.get(source));
}

async function fetchEpisodes(recording: Recording): Promise<void> {
  await Promise.all([recording.loadEpisodes(), recording.count < recording.meta.num_states && recording.load("row")]);
}

async function fetchFor(recording: Recording, filters: readonly string[]): Promise<void> {
  if (!filters.length) return;
  await fetchEpisodes(recording);
  await Promise.all(sources(recording, filters).map((source) => recording.load(source)));
}

function countEpisodes(recording: Recording, mask: Uint8Array): number {
  const seen = new Uint8Array(recording.meta.num_episodes);
  const episodes = episodesOfPoints(recording);
  for (let index = 0; index < mask.length; index++) if (mask[index]) seen[episodes[index]] = 1;
  return seen.reduce((sum, one) => sum + one, 0);
}

/** Numbers of a cluster's states that pass a filter. */
export interface FilteredCluster {
  count: number;
  total: number;
  /** Of the episodes with a state that passes, those that have ended, and the successful among them. */
  ended: number;
  succeeded: number;
}

/** What of each cluster passes the filter. */
export function filteredClusters(recording: Recording, mask: Uint8Array): FilteredCluster[] {
  const { num_codes, num_episodes } = recording.meta;
  const cluster = recording.get("cluster");
  const found = Array.from({ length: num_codes }, (): FilteredCluster => ({ count: 0, total: 0, ended: 0, succeeded: 0 }));
  if (!cluster || !recording.episodes) return found;
  const episodes = episodesOfPoints(recording);
  const passes = new Uint8Array(num_codes * num_episodes);
  const [counts, totals] = [new Uint32Array(256), new Uint32Array(256)];
  for (let index = 0; index < mask.length; index++) {
    totals[cluster[index]]++;
    if (!mask[index]) continue;
    counts[cluster[index]]++;
    passes[cluster[index] * num_episodes + episodes[index]] = 1;
  }
  const { success } = recording.episodes;
  found.forEach((one, code) => {
    [one.count, one.total] = [counts[code], totals[code]];
    for (let episode = 0; episode < num_episodes; episode++) {
      if (!passes[code * num_episodes + episode] || success[episode] === null) continue;
      one.ended++;
      one.succeeded += Number(success[episode]);
    }
  });
  return found;
}
