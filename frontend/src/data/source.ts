// Where data come from: a server, or what is embedded in an exported page. The rest of the page does not know which.
import type { Maker } from "./maker";
import type {
  Annotations, Cards, ClusterNote, Comparison, EpisodeData, EpisodeNumbers, Episodes, Inside, InsideQuery, Meta, Near, NearQuery, Plane, PlaneName, Playlist,
  Selection, TagChanged, Transitions,
} from "./contract";
import type { Range } from "./tag_ranges";

export interface Source {
  /** False in an exported page: nothing can be written or computed by the server. */
  readonly live: boolean;
  /** What an exported page says of itself. */
  readonly about: string | null;
  recordings(): Promise<Meta[]>;
  /** Resolves when the plane is there; `report` hears 0 to 1 while it is computed. */
  plane(id: string, name: PlaneName, report: (progress: number) => void): Promise<Plane>;
  column(id: string, name: string, report?: (progress: number) => void): Promise<ArrayBuffer>;
  episodes(id: string): Promise<Episodes>;
  episode(id: string, episode: number): Promise<EpisodeData>;
  /** The observations of an episode as numbers; null where they are not known. */
  numbers(id: string, episode: number): Promise<EpisodeNumbers | null>;
  /** Pictures of `count` states from row `first`; null where there is none. */
  frames(id: string, first: number, count: number): Promise<(Blob | null)[]>;
  /** Pictures of some states; null where there is none. */
  picturesOf(id: string, rows: readonly number[]): Promise<(Blob | null)[]>;
  /** The observations of some states as numbers; null where they are not known. */
  observationsOf(id: string, rows: readonly number[]): Promise<((number | null)[] | null)[]>;
  /** Whether there may be a picture of a state. */
  hasFrame(id: string, row: number): boolean;
  mean(id: string, cluster: number): Promise<Blob | null>;
  /** A picture by an address that the source itself gave. */
  picture(address: string): Promise<Blob | null>;
  clusters(id: string): Promise<Cards>;
  transitions(id: string): Promise<Transitions>;
  moves(id: string, from: number, to: number): Promise<Playlist>;
  playlist(id: string, name: string): Promise<Playlist>;
  /** Compare what is inside with the rest, among the points marked 1 in `within`; null: among all. */
  inside(id: string, query: InsideQuery, within: Uint8Array | null): Promise<Inside>;
  /** The states nearest to one, among the points marked 1 in `within`; `report` hears 0 to 1 while they are looked for. */
  near(id: string, query: NearQuery, within: Uint8Array | null, report: (progress: number) => void, signal: AbortSignal): Promise<Near>;
  compare(): Promise<Comparison>;
  annotations(id: string): Promise<Annotations>;
  saveCluster(id: string, cluster: number, entry: { name: string; note: string; author: string; seen: number }): Promise<ClusterNote>;
  saveSelection(
    id: string,
    /** With an id, that selection is changed; with the id that a deleted one had, that one comes back. */
    selection: { id?: string; former?: string; name: string; note?: string; plane: PlaneName; polygon: readonly (readonly [number, number])[]; author: string; seen: number },
  ): Promise<Selection>;
  saveTag(id: string, change: { tag: string; add: readonly Range[]; remove: readonly Range[]; author: string; seen: number }): Promise<TagChanged>;
  deleteSelection(id: string, selection: string, seen: number): Promise<void>;
  /** Calls back whenever annotations changed; returns what ends it. */
  watch(id: string, changed: (version: number) => void): () => void;
  /** Addresses of downloads; null where there are none. */
  rowsAddress(id: string, key: string, format: "parquet" | "csv"): string | null;
  clipAddress(id: string, key: string): string | null;
  /** What only a server can make: files of the page, and clips; null in an exported page. */
  readonly maker: Maker | null;
}

/** What went wrong, as a sentence to show. */
export class SourceError extends Error {}

/** Somebody else wrote the same entry in the meantime. */
export class Conflict<T> extends SourceError {
  constructor(readonly current: T) {
    super("It was changed elsewhere in the meantime.");
  }
}
