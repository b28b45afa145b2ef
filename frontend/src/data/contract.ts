// What the server (or the data embedded in an exported page) tells the page, as types.

export type PlaneName = "fdr" | "tsne" | "pca";
export const PLANE_NAMES: readonly PlaneName[] = ["fdr", "tsne", "pca"];
export type Point = readonly [number, number];

/** left, right, bottom, top of a square in the plane's own units. */
export type Limits = readonly [number, number, number, number];

export interface Plane {
  name: PlaneName;
  title: string;
  limits: Limits | null;
  ready: boolean;
  num_placed?: number;
  why_not?: string;
}

export interface Column {
  name: string;
  dtype: "uint8" | "uint16" | "uint32" | "float32";
  width?: number;
  low?: number;
  high?: number;
  levels?: number[];
}

export interface Agent {
  name?: string | null;
  algorithm?: string | null;
  env?: string | null;
  distribution_mode?: string | null;
  timesteps?: number | null;
  seed?: number | null;
  sha256?: string | null;
  num_levels?: number | null;
  start_level?: number | null;
}

export interface Meta {
  id: string;
  title: string;
  name?: string;
  agent: Agent;
  environment?: { num_levels?: number | null; start_level?: number | null };
  protocol?: string | null;
  num_states: number;
  num_episodes: number;
  num_shown: number;
  num_codes: number;
  num_actions: number;
  action_names: string[];
  action_signs: string[];
  codebook: Point[];
  colors: string[];
  uncertainty_scale?: number | null;
  planes: Plane[];
  columns: Column[];
  has_pictures: boolean;
  picture_size: number;
  /** "all", or the sentence that says of which states an export holds frames. */
  frames: unknown;
  success_known: boolean;
  notes: string[];
  /** What must be known before anything on the page is believed. */
  warning?: string | null;
  provenance: Record<string, unknown>;
  etag: string;
}

export interface Episodes {
  first_row: number[];
  num_rows: number[];
  length: number[];
  return: number[];
  level_seed: number[];
  success: (boolean | null)[];
}

export interface EpisodeData {
  episode: number;
  first_row: number;
  step: number[];
  action: number[];
  value: (number | null)[];
  reward: number[];
  cluster: number[] | null;
  uncertainty: (number | null)[] | null;
  planes: Partial<Record<PlaneName, (Point | null)[]>>;
}

export interface ClusterCard {
  cluster: number;
  num_states: number;
  share: number;
  num_episodes: number;
  num_visits: number;
  mean_dwell: number | null;
  success: number | null;
  actions: number[];
  values: number[];
  progress: number[];
  medoid: number | null;
  typical: number[];
  clip: [first: number, count: number][];
}

export interface Cards {
  clusters: ClusterCard[];
  value_edges: number[];
  all: { actions: number[]; values: number[]; progress: number[]; success: number | null } | null;
}

export interface Transitions {
  counts: number[][];
  probabilities: (number | null)[][];
  leaving: (number | null)[][];
  mean_dwell: (number | null)[];
  centers: [number | null, number | null][];
  starts: number[];
  ends: (number | null)[];
}

export interface PlaylistItem {
  episode: number;
  row: number;
  first: number;
  last: number;
  text: string;
  other?: number;
}

export interface Playlist {
  name: string;
  title: string;
  total: number;
  items: PlaylistItem[];
  note?: string;
}

/** A difference between inside and rest, with its 95% interval over episodes. */
export interface Difference {
  inside: number | null;
  rest: number | null;
  difference: number | null;
  low: number | null;
  high: number | null;
  effect?: number | null;
  effect_name?: string;
  /** Why there is no interval. */
  note?: string;
}

export interface Inside {
  key: string;
  count: number;
  of: number;
  num_episodes: number;
  num_levels: number;
  mean?: string | null;
  mean_rest?: string | null;
  actions: number[];
  actions_rest: number[];
  value?: Difference | null;
  success?: Difference | null;
  reward?: Difference | null;
  dwell?: Difference | null;
  progress?: Difference | null;
  uncertainty?: Difference | null;
  /** States of each cluster inside. */
  clusters?: number[] | null;
  /** Rows inside, each of another episode. */
  examples?: number[];
  note?: string;
}

export type InsideQuery =
  | { plane: PlaneName; polygon: Point[] }
  | { selection: string }
  | { clusters: number[] };

export interface ClusterNote {
  name: string;
  note: string;
  author?: string;
  time?: string;
  version: number;
}

export interface Selection {
  id: string;
  name: string;
  plane: PlaneName;
  polygon: Point[];
  count?: number;
  author?: string;
  time?: string;
  version: number;
}

export interface Annotations {
  version: number;
  clusters: Record<string, ClusterNote>;
  selections: Selection[];
  author?: string;
}

export interface Comparison {
  match: [number, number, number][];
  kind: "same" | "overlap" | "distance" | "none";
  how: string;
  differences: {
    what: string;
    group: "play" | "cluster" | "action";
    a: number | null;
    b: number | null;
    difference?: number | null;
    low?: number | null;
    high?: number | null;
    /** Whether the interval leaves out nothing. */
    certain?: boolean;
    text: string;
    clusters?: [number, number];
  }[];
  notes?: string[];
}
