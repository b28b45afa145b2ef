// Names and notes of clusters and named selections: saved as they are written, and kept in step with other pages.
import type { Annotations, ClusterNote, Selection, Tag } from "./contract";
import { Conflict, type Source } from "./source";
import { sentence, Store } from "./store";
import type { Range, Tags } from "./tag_ranges";

const AUTHOR = "semantic-rl.author";
/** Others may tag states in the same moment: a change of a tag is then made to what they wrote. */
const MOST_TRIES = 8;
type Text = Pick<ClusterNote, "name" | "note">;

export interface NotesState {
  clusters: Record<string, ClusterNote>;
  selections: Selection[];
  tags: Tags;
  /** By cluster: being saved, saved just now, or why not. */
  status: Record<string, { kind: "saving" | "saved" } | { kind: "failed"; error: string }>;
  /** By cluster: what was written here, which somebody else changed meanwhile. */
  conflicts: Record<string, { mine: Text; theirs: ClusterNote }>;
  author: string;
  /** With whose name the server signs where none is given. */
  usual: string;
}

export class Notes {
  readonly store: Store<NotesState>;
  /** Resolves when the notes have come. */
  readonly loaded: Promise<void>;
  private arrived: () => void = () => undefined;
  private version = -1;
  /** Settles when what was being written here, if anything, is written or refused; another promise for every write. */
  private writing: Promise<unknown> = Promise.resolve();
  private end: () => void = () => undefined;

  constructor(
    private readonly source: Source,
    private readonly id: string,
  ) {
    this.store = new Store<NotesState>({ clusters: {}, selections: [], tags: new Map(), status: {}, conflicts: {}, author: remembered(), usual: "" });
    this.loaded = new Promise((resolve) => (this.arrived = resolve));
  }

  get writable(): boolean {
    return this.source.live;
  }

  name(cluster: number): string {
    return this.store.get().clusters[cluster]?.name ?? "";
  }

  /** "3 Jumping the gap", or "cluster 3" where it has no name. */
  title(cluster: number): string {
    const name = this.name(cluster);
    return name ? `${cluster} ${name}` : `cluster ${cluster}`;
  }

  async load(): Promise<void> {
    await this.refresh().finally(this.arrived); // one who waits for them does without
    this.end();
    this.end = this.source.watch(this.id, (version) => {
      if (version !== this.version) this.refresh().catch(() => undefined);
    });
  }

  setAuthor(author: string): void {
    this.store.set({ author });
    try {
      localStorage.setItem(AUTHOR, author);
    } catch {
      // a page without storage forgets the name when it closes
    }
  }

  /** Save what was written after seeing version `seen`; returns the version that is now there, or null if it was not saved. */
  async saveCluster(cluster: number, text: Text, seen: number): Promise<number | null> {
    const known = this.store.get().clusters[cluster];
    if ((known?.name ?? "") === text.name && (known?.note ?? "") === text.note) return known?.version ?? 0;
    this.setStatus(cluster, { kind: "saving" });
    try {
      const entry = await this.write(this.source.saveCluster(this.id, cluster, { ...text, author: this.store.get().author, seen }));
      this.store.set({ clusters: { ...this.store.get().clusters, [cluster]: entry } });
      this.setStatus(cluster, { kind: "saved" });
      return entry.version;
    } catch (error) {
      if (error instanceof Conflict) {
        const theirs = (error.current as ClusterNote | null) ?? { name: "", note: "", version: 0 }; // null: it was removed
        const { clusters, conflicts } = this.store.get();
        this.store.set({
          clusters: { ...clusters, [cluster]: theirs },
          conflicts: { ...conflicts, [cluster]: { mine: text, theirs } },
        });
      }
      this.setStatus(cluster, { kind: "failed", error: sentence(error) });
      return null;
    }
  }

  /** Of two versions, keep mine (written over what was seen of theirs) or theirs. */
  async settle(cluster: number, keep: "mine" | "theirs"): Promise<void> {
    const { [cluster]: conflict, ...others } = this.store.get().conflicts;
    if (!conflict) return;
    this.store.set({ conflicts: others });
    if (keep === "mine") await this.saveCluster(cluster, conflict.mine, conflict.theirs.version);
    else this.setStatus(cluster, { kind: "saved" });
  }

  async saveSelection(selection: Omit<Selection, "version" | "id"> & { id?: string; former?: string; version?: number }): Promise<Selection> {
    const { id, former, name, note, plane, polygon, version } = selection;
    const author = selection.author ?? this.store.get().author;
    const saved = await this.write(this.source.saveSelection(this.id, { id, former, name, note, plane, polygon, author, seen: version ?? 0 }));
    const others = this.store.get().selections.filter((other) => other.id !== saved.id);
    this.store.set({ selections: [...others, saved] });
    return saved;
  }

  async removeSelection(selection: Selection): Promise<void> {
    await this.write(this.source.deleteSelection(this.id, selection.id, selection.version));
    this.store.set({ selections: this.store.get().selections.filter((other) => other.id !== selection.id) });
  }

  /** Bring back a selection that was removed, as it was and under the id that links to it name. */
  bringBack({ id, ...selection }: Selection): Promise<Selection> {
    return this.saveSelection({ ...selection, former: id });
  }

  /** Give a tag to states and take it from others; returns the tag as it is saved. */
  async changeTag(tag: string, { add = [], remove = [] }: { add?: readonly Range[]; remove?: readonly Range[] }): Promise<string> {
    let seen = this.store.get().tags.get(tag)?.version ?? 0;
    for (let tries = 1; ; tries++) {
      try {
        const saved = await this.write(this.source.saveTag(this.id, { tag, add, remove, author: this.store.get().author, seen }));
        const tags = new Map(this.store.get().tags);
        if (saved.entry) tags.set(saved.tag, saved.entry);
        else tags.delete(saved.tag);
        this.store.set({ tags });
        return saved.tag;
      } catch (error) {
        if (!(error instanceof Conflict) || tries === MOST_TRIES) throw error;
        seen = (error.current as Tag | null)?.version ?? 0;
      }
    }
  }

  private write<T>(sent: Promise<T>): Promise<T> {
    this.writing = Promise.allSettled([this.writing, sent]);
    return sent;
  }

  /** Ask what is there. An answer during which something was written here may be older than that: it is asked again. */
  private async refresh(): Promise<void> {
    for (;;) {
      await this.writing;
      const before = this.writing;
      const found = await this.source.annotations(this.id);
      if (this.writing === before) return this.take(found);
    }
  }

  private take(found: Annotations): void {
    if (found.version < this.version) return;
    this.version = found.version;
    const tags = new Map(Object.entries(found.tags));
    const before = this.store.get().tags;
    const isSame = tags.size === before.size && [...tags].every(([tag, { version }]) => before.get(tag)?.version === version);
    this.store.set({ clusters: found.clusters, selections: found.selections, tags: isSame ? before : tags, usual: found.author ?? "" });
  }

  private setStatus(cluster: number, status: NotesState["status"][string]): void {
    this.store.set({ status: { ...this.store.get().status, [cluster]: status } });
  }
}

function remembered(): string {
  try {
    return localStorage.getItem(AUTHOR) ?? "";
  } catch {
    return "";
  }
}
