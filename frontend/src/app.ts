// The parts of the page and what they share.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Comparison, Inside, InsideQuery, PlaneName, Point } from "./data/contract";
import { Filtering } from "./data/filtered";
import { Notes } from "./data/notes";
import type { Recording } from "./data/recording";
import type { Source } from "./data/source";
import { Store } from "./data/store";
import { FIRST_VIEW, type View, type Zoom } from "./data/view";
import type { ShownMap } from "./map/shown";
import { Frames } from "./player/frames";
import { Player } from "./player/player";
import { ExportJob } from "./save/export_job";

/** The point under the pointer, or chosen with the keyboard. */
export interface Hover {
  rec: string | null;
  index: number;
  /** Whether the pointer has rested long enough for the card. */
  rested: boolean;
}

export interface Lasso {
  /** Whether dragging on the map draws a lasso instead of moving the map. */
  drawing: boolean;
  rec: string | null;
  query: InsideQuery | null;
  /** Outline in a plane's own units, if there is one. */
  plane: PlaneName | null;
  polygon: Point[];
  inside: Inside | null;
  error: string | null;
}

export interface Look {
  dark: boolean;
  help: boolean;
  /** Which of the first steps is shown; null: none. */
  step: number | null;
  /** Whether "Save" is open. */
  save: boolean;
  /** Whether a map draws densities now. */
  dense: boolean;
  /** A move between clusters that is pointed out on the map. */
  arrow: [number, number] | null;
  /** Raised when columns, planes or matches have come that the maps should show. */
  arrived: number;
  /** Planes being computed, and how far. */
  computing: Partial<Record<PlaneName, number>>;
  problem: string | null;
  /** What was done just now, if it can be taken back. */
  done: Done | null;
}

export interface Done {
  text: string;
  undo: () => Promise<unknown>;
  /** The selection that was deleted, if one was. */
  deleted?: string;
}

export const NO_LASSO: Lasso = {
  drawing: false, rec: null, query: null, plane: null, polygon: [], inside: null, error: null,
};

export class App {
  readonly view = new Store<View>(FIRST_VIEW);
  readonly hover = new Store<Hover>({ rec: null, index: -1, rested: false });
  readonly lasso = new Store<Lasso>(NO_LASSO);
  readonly look = new Store<Look>({ dark: false, help: false, save: false, dense: false, step: null, arrow: null, arrived: 0, computing: {}, problem: null, done: null });
  readonly notes: Map<string, Notes>;
  readonly frames: Map<string, Frames>;
  readonly player: Player;
  readonly filtering: Filtering;
  readonly exportJob: ExportJob;
  readonly maps = new Map<string, ShownMap>();
  /** Where maps that do not exist yet shall look. */
  zooms: Record<string, Zoom> = {};
  /** What "whole map" is where two maps show one plane: all that lies on either of them. */
  homes: Record<string, Zoom> = {};
  /** Called when a map was moved or enlarged by hand. */
  zoomed: (map: ShownMap) => void = () => undefined;
  /** How the maps of two recordings belong together: the same plane, the same states, or clusters that are alike. */
  link: Comparison["kind"] = "none";

  constructor(
    readonly source: Source,
    readonly recordings: readonly Recording[],
  ) {
    this.notes = new Map(recordings.map(({ id }) => [id, new Notes(source, id)]));
    this.frames = new Map(recordings.map(({ id, meta }) => [id, new Frames(source, id, meta.num_states)]));
    this.player = new Player(recordings, this.frames);
    this.filtering = new Filtering(recordings);
    this.exportJob = new ExportJob(source);
  }

  recording(id: string): Recording {
    return this.recordings.find((recording) => recording.id === id) ?? this.recordings[0];
  }

  /** Whether a state passes the filters; true where that is not known, because it is not on the map. */
  passes(rec: string, row: number): boolean {
    const mask = this.filtering.mask(rec);
    const index = mask ? this.recording(rec).indexOf(row) : -1;
    return !mask || index < 0 || mask[index] === 1;
  }

  notesOf(id: string): Notes {
    return this.notes.get(id) as Notes;
  }

  /** Point of another recording that is the same state as a row, if the recordings are of the same states; else -1. */
  twin(rec: string | null, row: number, other: Recording): number {
    return this.link === "overlap" && rec !== null && rec !== other.id && row >= 0 ? other.indexOf(row) : -1;
  }

  /** Say that something has come that maps or legends should show. */
  arrive(): void {
    this.look.set({ arrived: this.look.get().arrived + 1 });
  }

  /** Open the episode of a row in the player. */
  async openRow(rec: string, row: number, how: { play?: boolean; part?: [number, number] } = { play: true }): Promise<void> {
    const recording = this.recording(rec);
    await recording.loadEpisodes();
    this.view.set({ rec });
    await this.player.open(rec, recording.episodeOf(row), { row, ...how });
  }
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("used outside of the page");
  return app;
}
