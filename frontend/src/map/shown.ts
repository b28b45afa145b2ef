// A map as the rest of the page knows it: what may be asked of it, and where it can be made to look.
import type { PlaneName, Point } from "../data/contract";
import type { Recording } from "../data/recording";
import type { Zoom } from "../data/view";
import type { Camera } from "./camera";

/** What is done with what one chooses on a map. */
export interface Chosen {
  state(index: number): void;
  arrow(from: number, to: number): void;
  lasso(polygon: readonly Point[]): void;
}

export interface ShownMap {
  readonly recording: Recording;
  readonly host: HTMLElement;
  readonly camera: Camera;
  /** The plane that is shown, or moved to; null while none is there. */
  readonly plane: PlaneName | null;
  readonly zoom: Zoom;
  /** Of each point: 1 if it is shown, 0 if it is a shadow because of the lasso or a filter; null: all are shown. */
  readonly marks: Uint8Array | null;
  /** Where it looks to show the whole map. */
  readonly home: Zoom;
  look(zoom: Zoom): void;
  /** Look somewhere because another map does. */
  follow(zoom: Zoom): void;
  fly(zoom: Zoom): void;
  reset(): void;
  /** Give it the keyboard. */
  focus(): void;
  /** The shown point nearest to a pixel, within `reach` pixels; -1 if there is none. */
  nearest(px: number, py: number, reach: number, accept?: (index: number) => boolean): number;
  /** Draw again in the next frame. */
  refresh(points: boolean): void;
}
