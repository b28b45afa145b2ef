// What a server makes for those who take something along: the page in one file, and clips.
import type { ExportChoices, ExportState, PlaneName } from "./contract";

/** What goes into a file. */
export interface Wanted {
  frames: number;
  points: number;
  planes: readonly PlaneName[];
  /** What columns that can be left out are called. */
  columns: readonly string[];
}

export const CLIP_FORMATS = ["webp", "gif", "mp4"] as const;
export type ClipFormat = (typeof CLIP_FORMATS)[number];

export interface Maker {
  choices(id: string): Promise<ExportChoices>;
  begin(id: string, wanted: Wanted): Promise<ExportState>;
  state(id: string, key: string): Promise<ExportState>;
  stop(id: string, key: string): Promise<void>;
  fileAddress(id: string, key: string): string;
  /** A clip of runs of rows, one after the other. */
  clip(id: string, parts: readonly (readonly [first: number, last: number])[], format: ClipFormat, title: string): Promise<Blob>;
}
