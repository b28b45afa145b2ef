// Made by frontend/generate.py from semantic_rl.explorer.contract; do not change it here.

export type PlaneName = "fdr" | "tsne" | "pca";

/** A difference between inside and rest, with its 95% interval over episodes. */
export interface Difference {
  inside: number | null;
  rest: number | null;
  difference: number | null;
  low: number | null;
  high: number | null;
  effect: number | null;
  effect_name: string;
  /** Number of episodes that contribute to the number inside. */
  num_episodes: number;
  num_episodes_rest: number;
  /** Why there is no interval. */
  note?: string;
}

export type Point = readonly [number, number];

/** left, right, bottom, top of a square in the plane's own units. */
export type Limits = readonly [number, number, number, number];

export interface Plane {
  name: PlaneName;
  title: string;
  limits: Limits | null;
  ready: boolean;
  num_placed: number;
  /** Why it is not available. */
  why_not?: string;
}

/** A column of the points, whose values are integers. */
export interface Column {
  name: string;
  dtype: "uint8" | "uint16" | "uint32" | "float32";
  width: number;
  /** The value that 0 encodes; `high` is encoded by the type's largest integer. Absent if integers are the values. */
  low?: number;
  high?: number;
  /** The values that the integers 0, 1, … encode. */
  levels?: number[];
  /** Number of points whose value is not finite; they get the lowest value. */
  num_unknown?: number;
  /** The integer of points whose value is not known. */
  unknown?: number;
  /** Name of what only this recording has: a part of the action, a column of its maker. */
  title?: string;
  /** The texts that the integers 0, 1, … stand for. */
  categories?: string[];
}

/** What is known of the agent; null where nothing is. */
export interface Agent {
  name: string | null;
  algorithm: string | null;
  env: string;
  /** The recorded layer. */
  layer: string | null;
  /** Numbers that the layer gives. */
  num_features: number;
  distribution_mode: string | null;
  timesteps: number | null;
  seed: number | null;
  sha256: string | null;
  num_levels: number | null;
  start_level: number | null;
}

export interface Environment {
  num_levels: number | null;
  start_level: number | null;
}

/** A "show me" list that is available for the recording. */
export interface ListName {
  name: string;
  title: string;
  text: string;
}

/** A number of an action that is no index, with its bounds if it has any. */
export interface ActionPart {
  name: string;
  low: number | null;
  high: number | null;
}

/** The description of a recording that the page loads first. */
export interface Meta {
  id: string;
  title: string;
  name: string;
  agent: Agent;
  environment: Environment;
  protocol: string | null;
  num_states: number;
  num_episodes: number;
  /** Number of points on the map. */
  num_shown: number;
  sample_seed: number;
  num_codes: number;
  /** Number of actions; 0 if an action is no index, but consists of parts, or if actions are not known. */
  num_actions: number;
  action_names: string[];
  action_signs: string[];
  /** For each action a name, which actions that do the same share; empty if that is not known. */
  action_groups: string[];
  /** The first parts of an action; empty if it is an index. */
  action_parts: ActionPart[];
  num_action_parts: number;
  /** Names of the first numbers of an observation, those of its vectors; empty if it is an image alone. */
  observation_names: string[];
  num_observation_numbers: number;
  /** Whether clusters and plane were fitted after the agent was trained. */
  clusters_fitted: boolean;
  codebook: Point[];
  /** The colour of each cluster. */
  colors: string[];
  /** The text colour that is legible on each of the colours: black or white. */
  inks: string[];
  uncertainty_scale: number | null;
  planes: Plane[];
  columns: Column[];
  lists: ListName[];
  /** Whether there is anything to look at: pictures, or observations that are images. */
  has_frames: boolean;
  has_pictures: boolean;
  /** Height and width of a frame. */
  frame_shape: readonly [number, number];
  /** Speed at which people see the environment. */
  steps_per_second: number;
  /** "all", or a sentence that says which states have frames in an export. */
  frames: string;
  value_known: boolean;
  reward_known: boolean;
  success_known: boolean;
  /** The word for the number of an episode's level; null if there are no levels. */
  level_word: string | null;
  notes: string[];
  /** A warning that applies to everything on the page. */
  warning: string | null;
  provenance: Record<string, unknown>;
  etag: string;
}

/** What an exported file says about itself. */
export interface Export {
  time: string;
  versions: Record<string, string>;
  frames_text: string;
}

export interface Recordings {
  recordings: Meta[];
  exported?: Export;
}

/** All episodes, as columns. */
export interface Episodes {
  first_row: number[];
  num_rows: number[];
  length: number[];
  episode_return: number[];
  /** null if there are no levels. */
  level_seed: number[] | null;
  /** null for episodes that did not end. */
  end: ("terminated" | "truncated" | null)[];
  /** null for episodes that did not end, or if nothing counts as success. */
  success: (boolean | null)[];
}

/** One episode, its states as columns. */
export interface EpisodeData {
  episode: number;
  first_row: number;
  length: number;
  episode_return: number;
  step: number[];
  /** null if an action is no index, or if actions are not known. */
  action: number[] | null;
  /** Of each of the parts in `Meta`, its course. */
  action_parts: (number | null)[][];
  /** null if the agent estimates none. */
  value: (number | null)[] | null;
  reward: number[];
  cluster: number[] | null;
  uncertainty: (number | null)[] | null;
  planes: Partial<Record<PlaneName, (Point | null)[]>>;
}

/** The observations of an episode's states, as numbers. */
export interface EpisodeNumbers {
  /** Of each name in `Meta`, its course. */
  numbers: (number | null)[][];
}

/** The observations of some states, as numbers. */
export interface Observations {
  /** Of each state, the numbers that `Meta` names. */
  numbers: (number | null)[][];
}

export interface ClusterCard {
  cluster: number;
  num_states: number;
  share: number;
  num_episodes: number;
  num_visits: number;
  mean_dwell: number | null;
  /** Share of successes among the `num_ended` episodes that pass through the cluster and have ended. */
  success: number | null;
  num_ended: number;
  /** Empty if an action is no index, or if actions are not known. */
  actions: number[];
  /** Empty if the agent estimates none. */
  values: number[];
  progress: number[];
  medoid: number | null;
  typical: number[];
  /** First state and number of states of each piece. */
  clip: readonly [number, number][];
}

export interface AllStates {
  actions: number[];
  values: number[];
  progress: number[];
  success: number | null;
}

export interface Cards {
  clusters: ClusterCard[];
  value_edges: number[];
  progress_edges: number[];
  all: AllStates | null;
}

export interface Transitions {
  counts: number[][];
  probabilities: (number | null)[][];
  leaving: (number | null)[][];
  mean_dwell: (number | null)[];
  centers: [number | null, number | null][];
  shares: number[];
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

/** Statistics of the states inside a selection, compared with the rest. */
export interface InsideNumbers {
  count: number;
  of: number;
  num_episodes: number;
  num_levels: number | null;
  actions: number[];
  actions_rest: number[];
  /** Lower ends of the 95% intervals of the differences; `actions_high` holds the upper ends. */
  actions_low: (number | null)[];
  actions_high: (number | null)[];
  actions_effect: number | null;
  actions_effect_name: string;
  /** Of each of the action's parts. */
  parts: Difference[];
  value?: Difference;
  reward?: Difference;
  progress: Difference;
  success?: Difference;
  dwell: Difference;
  uncertainty?: Difference;
  /** Number of states of each cluster; empty if the agent has no clusters. */
  clusters: number[];
  clusters_rest: number[];
  /** Rows inside, each from a different episode. */
  examples: number[];
  /** Which states the numbers cover, if not all. */
  note?: string;
}

/** The same, with addresses of further data. */
export interface Inside extends InsideNumbers {
  key: string;
  /** Address of the mean frame; null if there is none. */
  mean: string | null;
  mean_rest: string | null;
  /** Number of frames that the mean averages; `num_frames_rest` is that for the rest. */
  num_frames: number;
  num_frames_rest: number;
}

export interface FilteredQuery {
  /** The points that pass the page's filter: a bit each, the lowest first, as base64. Only they are compared. */
  within?: string;
}

export interface PolygonQuery extends FilteredQuery {
  plane: PlaneName;
  polygon: Point[];
}

export interface SelectionQuery extends FilteredQuery {
  selection: string;
}

export interface ClustersQuery extends FilteredQuery {
  clusters: number[];
}

export type InsideQuery = PolygonQuery | SelectionQuery | ClustersQuery;

/** Asks for the states that are nearest to one; only those that pass the page's filter are found. */
export interface NearQuery extends FilteredQuery {
  row: number;
  by: "features" | "plane" | "pixels";
  plane: PlaneName;
  /** In which episodes: at most one state of each other, all others, or the state's own too. */
  episodes: "each" | "others" | "all";
}

/** The nearest states, the nearest first. */
export interface Near {
  rows: number[];
  distances: number[];
  /** How or among which states they were found, if that is not obvious. */
  note?: string;
}

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
  note?: string;
  plane: PlaneName;
  polygon: Point[];
  count?: number;
  author?: string;
  time?: string;
  version: number;
}

/** A tag, and which states have it. */
export interface Tag {
  /** Ranges of rows: first and last. */
  states: readonly [number, number][];
  author?: string;
  time?: string;
  version: number;
}

/** The answer to a change of a tag. */
export interface TagChanged {
  /** As it is saved. */
  tag: string;
  /** null if no state has it any more. */
  entry: Tag | null;
}

export interface Annotations {
  version: number;
  /** By the cluster's number. */
  clusters: Record<string, ClusterNote>;
  selections: Selection[];
  tags: Record<string, Tag>;
  /** Name that the server signs with if none is given. */
  author?: string;
}

/** A number in two recordings, and the 95% interval of the difference b − a. */
export interface ComparedNumber {
  what: string;
  group: "play" | "cluster" | "action";
  a: number | null;
  b: number | null;
  /** Number of episodes of a that contribute; `num_episodes_b` is that of b. */
  num_episodes_a: number;
  num_episodes_b: number;
  difference: number | null;
  low: number | null;
  high: number | null;
  /** Whether the interval excludes zero. */
  certain: boolean;
  /** Whether the number is formatted as a percentage. */
  is_share: boolean;
  /** Number of decimals. */
  digits: number;
  /** The whole comparison in one line. */
  text: string;
  /** The cluster of each recording that the number refers to. */
  clusters?: readonly [number, number];
}

export interface Comparison {
  /** Cluster of a, cluster of b, score of the match. */
  match: readonly [number, number, number][];
  kind: "same" | "overlap" | "distance" | "none";
  how: string;
  differences: ComparedNumber[];
  notes: string[];
}

/** The answer while something is being computed. */
export interface Progress {
  /** 0 to 1; null if unknown. */
  progress: number | null;
}

/** What can be chosen of an export. */
export interface ExportChoices {
  /** Columns that may be left out: what people call them, by name. */
  columns: Record<string, string>;
  /** Number of frames that it has if nothing else is asked for. */
  frames: number;
}

/** How far an export is. */
export interface ExportState {
  key: string;
  /** 0 to 1. */
  progress: number;
  /** What is being done, or what the file holds once it is there. */
  what: string;
  /** Size of the file once it is there. */
  bytes?: number;
  error?: string;
}

/** The answer to a request that failed, as a sentence. */
export interface Failure {
  error: string;
  /** If someone else has changed an entry in the meantime: its current content. */
  current?: unknown;
}

/** The event that tells the page of changed annotations. */
export interface AnnotationsChanged {
  /** Version of the annotations; null while the file cannot be read. */
  annotations: number | null;
}

export const PLANE_NAMES: readonly PlaneName[] = ["fdr", "tsne", "pca"];
export const HIGHEST = 65535;
export const NOT_PLACED = 65535;
export const PART = "part-";
export const NUM_NEAREST = 96;
export const MOST_TAG_RANGES = 50000;
export const LONGEST_TAG = 40;
export const NUM_EXAMPLES = 12;
export const FRAMES_IN_MEAN = 500;
export const ORDER_FACTOR = 2654435761;
export const LEVEL = 0.95;
export const TOO_FEW = "too few episodes for an interval";
export const NOTHING = "one of the two sets is empty";
export const NOT_IN_A_SAMPLE = "only a sample of the states is compared, so the dwell cannot be measured";
export const OF_A_SAMPLE = "Of {known:,} of the {total:,} states, drawn at random: an episode passes through where one of them is inside.";
export const NOT_FILTERED = "a filter leaves out steps in between, so the dwell cannot be measured";
export const OF_FILTERED = "Only the states that pass the filter are compared: {known:,} of {total:,}. An episode passes through where one of them is inside.";
export const COHENS_D = "Cohen's d";
export const COHENS_H = "Cohen's h";
export const CRAMERS_V = "Cramér's V";
