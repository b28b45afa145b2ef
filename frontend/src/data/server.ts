// The source of the live page: the server's API. All addresses are relative, so that a proxy may put a prefix before them.
import type {
  Annotations, AnnotationsChanged, Cards, ClusterNote, Comparison, EpisodeData, EpisodeNumbers, Episodes, Failure, Inside, InsideQuery, Meta, Near, NearQuery, Observations, Plane, PlaneName,
  Playlist, Progress, Recordings, Selection, TagChanged, Transitions,
} from "./contract";
import type { Maker } from "./maker";
import { Conflict, SourceError, type Source } from "./source";

const POLL_MS = 400;
/** Allows writing: a foreign page cannot send it without being asked for leave first. */
const WRITE = { "Content-Type": "application/json", "X-Semantic-RL": "1" };

export class ServerSource implements Source {
  readonly live = true;
  readonly maker: Maker = {
    choices: (id) => this.json(`api/${id}/export`),
    begin: (id, wanted) => this.write("POST", `api/${id}/export`, wanted),
    state: (id, key) => this.json(`api/${id}/export/${key}`),
    stop: async (id, key) => void (await this.write("DELETE", `api/${id}/export/${key}`)),
    fileAddress: (id, key) => `api/${id}/export/${key}/page.html`,
    clip: async (id, parts, format, title) => {
      const moments = parts.map(([first, last]) => `${first}-${last}`).join(",");
      return (await this.ask(`api/${id}/moments?parts=${moments}&format=${format}&title=${encodeURIComponent(title)}`)).blob();
    },
  };
  readonly about = null;
  private etags = new Map<string, string>();

  async recordings(): Promise<Meta[]> {
    const { recordings } = await this.json<Recordings>("api/recordings");
    for (const meta of recordings) this.etags.set(meta.id, meta.etag);
    return recordings;
  }

  plane(id: string, name: PlaneName, report: (progress: number) => void): Promise<Plane> {
    return this.json(`api/${id}/plane/${name}`, report);
  }

  async column(id: string, name: string, report?: (progress: number) => void): Promise<ArrayBuffer> {
    return (await this.ask(this.kept(id, `column/${name}`), report)).arrayBuffer();
  }

  episodes(id: string): Promise<Episodes> {
    return this.json(this.kept(id, "episodes"));
  }

  episode(id: string, episode: number): Promise<EpisodeData> {
    return this.json(`api/${id}/episode/${episode}`);
  }

  numbers(id: string, episode: number): Promise<EpisodeNumbers> {
    return this.json(`api/${id}/numbers/${episode}`);
  }

  async frames(id: string, first: number, count: number): Promise<(Blob | null)[]> {
    const answer = await this.ask(this.kept(id, `frames/${first}/${count}`));
    return unpack(await answer.arrayBuffer());
  }

  async picturesOf(id: string, rows: readonly number[]): Promise<(Blob | null)[]> {
    const answer = await this.ask(`${this.kept(id, "pictures")}&rows=${rows.join(",")}`);
    return unpack(await answer.arrayBuffer());
  }

  async observationsOf(id: string, rows: readonly number[]): Promise<((number | null)[] | null)[]> {
    return (await this.json<Observations>(`${this.kept(id, "observations")}&rows=${rows.join(",")}`)).numbers;
  }

  hasFrame(): boolean {
    return true;
  }

  mean(id: string, cluster: number): Promise<Blob | null> {
    return this.picture(this.kept(id, `mean/${cluster}`));
  }

  async picture(address: string): Promise<Blob | null> {
    return (await this.ask(address.replace(/^\//, ""))).blob();
  }

  clusters(id: string): Promise<Cards> {
    return this.json(`api/${id}/clusters`);
  }

  transitions(id: string): Promise<Transitions> {
    return this.json(`api/${id}/transitions`);
  }

  moves(id: string, from: number, to: number): Promise<Playlist> {
    return this.json(`api/${id}/transition/${from}/${to}`);
  }

  playlist(id: string, name: string): Promise<Playlist> {
    return this.json(`api/${id}/playlist/${name}`);
  }

  inside(id: string, query: InsideQuery, within: Uint8Array | null): Promise<Inside> {
    return this.write("POST", `api/${id}/inside`, within ? { ...query, within: asBits(within) } : query);
  }

  near(id: string, query: NearQuery, within: Uint8Array | null, report: (progress: number) => void, signal: AbortSignal): Promise<Near> {
    return this.write("POST", `api/${id}/near`, within ? { ...query, within: asBits(within) } : query, report, signal);
  }

  compare(): Promise<Comparison> {
    return this.json("api/compare");
  }

  annotations(id: string): Promise<Annotations> {
    return this.json(`api/${id}/annotations`);
  }

  saveCluster(id: string, cluster: number, entry: object): Promise<ClusterNote> {
    return this.write("PUT", `api/${id}/annotations/clusters/${cluster}`, entry);
  }

  saveSelection(id: string, selection: { id?: string }): Promise<Selection> {
    const base = `api/${id}/annotations/selections`;
    return selection.id ? this.write("PUT", `${base}/${selection.id}`, selection) : this.write("POST", base, selection);
  }

  saveTag(id: string, change: object): Promise<TagChanged> {
    return this.write("PUT", `api/${id}/annotations/tags`, change);
  }

  async deleteSelection(id: string, selection: string, seen: number): Promise<void> {
    await this.write("DELETE", `api/${id}/annotations/selections/${selection}?seen=${seen}`);
  }

  watch(id: string, changed: (version: number) => void): () => void {
    const events = new EventSource(`api/${id}/events`);
    events.onmessage = (event) => {
      const { annotations } = JSON.parse(event.data) as AnnotationsChanged;
      if (annotations !== null) changed(annotations); // null: the file is being mended just now
    };
    return () => events.close();
  }

  rowsAddress(id: string, key: string, format: string): string {
    return `api/${id}/rows?key=${encodeURIComponent(key)}&format=${format}`;
  }

  clipAddress(id: string, key: string): string {
    return `api/${id}/clip?key=${encodeURIComponent(key)}`;
  }

  /** An address that names the recording's content, whose answer the browser may keep for good. */
  private kept(id: string, path: string): string {
    return `api/${id}/${path}?v=${encodeURIComponent(this.etags.get(id) ?? "")}`;
  }

  private async json<T>(address: string, report?: (progress: number) => void): Promise<T> {
    return (await this.ask(address, report)).json() as Promise<T>;
  }

  private async write<T>(method: string, address: string, content?: unknown, report?: (progress: number) => void, signal?: AbortSignal): Promise<T> {
    const answer = await this.ask(address, report, { method, headers: WRITE, body: JSON.stringify(content), signal });
    return (await answer.json()) as T;
  }

  /** Fetch; where the server says that it is still computing, ask again until it is done. */
  private async ask(address: string, report?: (progress: number) => void, init?: RequestInit): Promise<Response> {
    for (;;) {
      const answer = await reach(address, init);
      if (answer.status === 409) throw new Conflict(((await answer.json()) as Failure).current);
      if (answer.status !== 202) {
        await refuse(answer);
        return answer;
      }
      report?.(((await answer.json()) as Progress).progress ?? 0);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      init?.signal?.throwIfAborted();
    }
  }
}

async function reach(address: string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    throw new SourceError("The server does not answer. Is semantic-rl explore still running?");
  }
}

async function refuse(answer: Response): Promise<void> {
  if (answer.ok) return;
  let sentence = `The server answered ${answer.status}.`;
  try {
    sentence = ((await answer.json()) as Partial<Failure>).error ?? sentence;
  } catch {
    // the answer is not the server's own; its number must do
  }
  throw new SourceError(sentence);
}

/** Take apart: uint32 count, a uint32 size each, then the pictures one after the other. */
export function unpack(content: ArrayBuffer): (Blob | null)[] {
  const count = new Uint32Array(content, 0, 1)[0];
  const sizes = new Uint32Array(content, 4, count);
  let start = 4 * (count + 1);
  return Array.from(sizes, (size) => {
    const blob = size ? new Blob([new Uint8Array(content, start, size)]) : null;
    start += size;
    return blob;
  });
}

/** Marks of 0 and 1 as base64 of bits, the lowest first. */
function asBits(marks: Uint8Array): string {
  const bits = new Uint8Array(Math.ceil(marks.length / 8));
  for (let index = 0; index < marks.length; index++) bits[index >> 3] |= marks[index] << (index & 7);
  let text = "";
  for (const byte of bits) text += String.fromCharCode(byte);
  return btoa(text);
}
