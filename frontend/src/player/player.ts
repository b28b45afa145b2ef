// The episode player: one cursor over the states of an episode, which everything that moves follows.
import type { EpisodeData } from "../data/contract";
import { lastNotAbove, type Recording } from "../data/recording";
import { sentence, Store } from "../data/store";
import type { Frames } from "./frames";

export const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;

/** How long a screen usually shows a picture. */
const SCREEN_MS = 1000 / 60;

export interface Playing {
  rec: string;
  /** Null: nothing is open. */
  episode: number | null;
  data: EpisodeData | null;
  /** State within the episode. */
  index: number;
  playing: boolean;
  speed: number;
  /** What is played: the whole episode, or the part that a list is about. */
  first: number;
  last: number;
  error: string | null;
}

const NOTHING: Playing = {
  rec: "a", episode: null, data: null, index: 0, playing: false, speed: 1, first: 0, last: 0, error: null,
};

export class Player {
  readonly store = new Store<Playing>(NOTHING);
  /** Called when the part that is played has come to its end. */
  ended: () => void = () => undefined;
  private asked = 0;
  private due = 0;

  constructor(
    private readonly recordings: readonly Recording[],
    readonly frames: ReadonlyMap<string, Frames>,
  ) {
    for (const frame of frames.values()) frame.failed = (error) => this.store.set({ error, playing: false });
  }

  recording(id: string = this.store.get().rec): Recording {
    return this.recordings.find((recording) => recording.id === id) ?? this.recordings[0];
  }

  /** Row of the state under the cursor; -1 if nothing is open. */
  get row(): number {
    const { data, index } = this.store.get();
    return data ? data.first_row + index : -1;
  }

  /** Open an episode at a row (or at a step of the game) and play it, or a part of it. */
  async open(
    rec: string,
    episode: number,
    at: { row?: number; step?: number; play?: boolean; part?: [first: number, last: number] } = {},
  ): Promise<void> {
    const asked = ++this.asked;
    const recording = this.recording(rec);
    if (at.row !== undefined && recording.meta.has_frames) this.frames.get(rec)?.ahead(at.row, at.row + 3);
    try {
      const open = this.store.get();
      const same = open.data && open.rec === rec && open.episode === episode ? open.data : null;
      const [data] = await Promise.all([same ?? recording.episode(episode), recording.loadEpisodes()]);
      if (asked !== this.asked) return;
      const end = data.step.length - 1;
      const inside = (row: number): number => Math.min(Math.max(row - data.first_row, 0), end);
      const wanted = at.row !== undefined ? inside(at.row) : Math.max(lastNotAbove(data.step, at.step ?? 0), 0);
      const index = Math.min(Math.max(wanted, 0), end);
      const part = at.part && [inside(at.part[0]), inside(at.part[1])];
      const [first, last] = part && part[0] <= index && index <= part[1] ? part : [0, end];
      this.store.set({ rec, episode, data, index, first, last, error: null, playing: false });
      this.prefetch();
      if (at.play) this.play();
    } catch (error) {
      if (asked === this.asked) this.store.set({ rec, episode, data: null, playing: false, error: sentence(error) });
    }
  }

  close(): void {
    this.asked++;
    this.store.set({ ...NOTHING, rec: this.store.get().rec, speed: this.store.get().speed });
  }

  play(): void {
    const { data, index, last, first } = this.store.get();
    if (!data) return;
    if (index >= last) this.go(first);
    this.store.set({ playing: true });
    this.due = performance.now() + this.pause();
    requestAnimationFrame(this.tick);
  }

  stop(): void {
    this.store.set({ playing: false });
  }

  toggle(): void {
    if (this.store.get().playing) this.stop();
    else this.play();
  }

  /** Move the cursor to a state of the episode. */
  go(index: number): void {
    const { data, first, last } = this.store.get();
    if (!data) return;
    const end = data.step.length - 1;
    const to = Math.min(Math.max(index, 0), end);
    // one who leaves the part that a list is about wants to see the whole
    const leaves = to < first || to > last;
    this.store.set({ index: to, ...(leaves ? { first: 0, last: end } : {}) });
    this.prefetch();
  }

  step(by: number): void {
    this.stop();
    this.go(this.store.get().index + by);
  }

  /** Go to the next (or the last) state whose cluster differs from that of the state before it. */
  toChange(direction: 1 | -1): void {
    const { data, index } = this.store.get();
    const clusters = data?.cluster;
    if (!clusters) return;
    this.stop();
    for (let at = index + direction; at > 0 && at < clusters.length; at += direction) {
      if (clusters[at] !== clusters[at - 1]) return this.go(at);
    }
    this.go(direction === 1 ? clusters.length - 1 : 0);
  }

  toEpisode(by: 1 | -1): void {
    const { rec, episode } = this.store.get();
    const count = this.recording().meta.num_episodes;
    if (episode === null || !count) return;
    void this.open(rec, (episode + by + count) % count, { step: 0, play: this.store.get().playing });
  }

  faster(by: 1 | -1): void {
    const at = SPEEDS.findIndex((speed) => speed === this.store.get().speed);
    this.store.set({ speed: SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)] });
  }

  private pause(): number {
    return 1000 / (this.recording().meta.steps_per_second * this.store.get().speed);
  }

  private prefetch(): void {
    const { rec, data } = this.store.get();
    if (data && this.recording().meta.has_frames) this.frames.get(rec)?.ahead(this.row, data.first_row + data.step.length - 1);
  }

  private readonly tick = (now: number): void => {
    const { playing, data, index, last, rec } = this.store.get();
    if (!playing || !data) return;
    requestAnimationFrame(this.tick);
    if (now < this.due) return;
    if (index >= last) {
      this.stop();
      return this.ended();
    }
    // a screen may be slower than the steps: then several are made at once
    const most = Math.max(Math.round(SCREEN_MS / this.pause()), 1);
    const steps = Math.min(1 + Math.floor((now - this.due) / this.pause()), most, last - index);
    // where pictures come slowly, wait for them: all that moves stays together
    const shows = this.recording().meta.has_frames;
    if (shows && this.frames.get(rec)?.now(data.first_row + index + steps) === undefined) return this.prefetch();
    this.due = Math.max(this.due + steps * this.pause(), now - most * this.pause());
    this.go(index + steps);
  };
}
