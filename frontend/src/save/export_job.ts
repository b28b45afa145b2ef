// The file of the page that the server is making: it goes on while one does something else.
import type { ExportState } from "../data/contract";
import type { Wanted } from "../data/maker";
import type { Source } from "../data/source";
import { sentence, Store } from "../data/store";

const LOOK_EVERY_MS = 300;

interface Job {
  rec: string | null;
  state: ExportState | null;
  error: string | null;
}

const NOTHING: Job = { rec: null, state: null, error: null };

export class ExportJob {
  readonly store = new Store<Job>(NOTHING);
  private asked = 0;

  constructor(private readonly source: Source) {}

  /** Whether a file is being made. */
  static isBusy({ rec, state, error }: Job): boolean {
    return rec !== null && error === null && state?.bytes === undefined;
  }

  async begin(rec: string, wanted: Wanted): Promise<void> {
    const { maker } = this.source;
    if (!maker) return;
    const mine = ++this.asked;
    this.store.set({ rec, state: null, error: null });
    try {
      let state = await maker.begin(rec, wanted);
      while (mine === this.asked) {
        this.store.set({ state, error: state.error ?? null });
        if (state.error !== undefined || state.bytes !== undefined) return;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        if (mine === this.asked) state = await maker.state(rec, state.key);
      }
    } catch (error) {
      if (mine === this.asked) this.store.set({ error: sentence(error) });
    }
  }

  async stop(): Promise<void> {
    const { rec, state } = this.store.get();
    this.asked++;
    this.store.set(NOTHING);
    if (rec !== null && state) await this.source.maker?.stop(rec, state.key).catch(() => undefined); // it may have ended by itself
  }
}
