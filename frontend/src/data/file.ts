// The source of an exported page: data embedded in it, as blocks of base64. Nothing is fetched. The page begins before
// the browser has read all blocks; what is not there yet is waited for.
import type {
  Annotations, Cards, Comparison, EpisodeData, EpisodeNumbers, Episodes, Inside, InsideQuery, Meta, Near, NearQuery, Plane, PlaneName, Playlist, Recordings, Transitions,
} from "./contract";
import { FRAMES_IN_MEAN, PLANE_NAMES } from "./contract";
import { type Draws, readDraws } from "./effect_sizes";
import { compareInside } from "./inside";
import { nearInPlane } from "./near";
import { meanOf } from "./mean_frame";
import { fromUnit, partColumn, Recording } from "./recording";
import { SourceError, type Source } from "./source";

const READ_ONLY = "This page was exported: open the recording with semantic-rl explore to change it.";
const NOT_IN = "This was not exported with the page.";

export function embedded(): boolean {
  return document.getElementById("data-recordings") !== null;
}

/** Resolves when the browser has read the whole file. */
const whole: Promise<void> = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => resolve(), { once: true });
  else resolve();
});

function bytes(text: string): Uint8Array<ArrayBuffer> {
  // Only browsers from 2025 on have it; it is many times as fast.
  const decode = (Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (decode) return decode(text);
  const binary = atob(text.trim());
  const found = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) found[at] = binary.charCodeAt(at);
  return found;
}

async function inflate(text: string): Promise<ArrayBuffer> {
  return new Response(new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

export class FileSource implements Source {
  readonly live = false;
  readonly maker = null;
  /** Called when frames have come, of which `hasFrame` knew nothing before. */
  framesCame: () => void = () => undefined;
  private readonly pictures = new Map<string, Pictures>();
  private readonly unpacking = new Map<string, Promise<Pictures>>();
  private readonly own = new Map<string, Recording>();
  /** What was asked for last: addresses of mean frames, and the rows that they are of. */
  private means = new Map<string, { id: string; rows: readonly number[] }>();
  private asked = 0;

  private constructor(
    private readonly metas: Meta[],
    readonly about: string,
  ) {
    for (const meta of metas) this.own.set(meta.id, new Recording(meta, this));
  }

  static async open(): Promise<FileSource> {
    const content = await inflate(document.getElementById("data-recordings")?.textContent ?? "");
    const found = JSON.parse(new TextDecoder().decode(content)) as Recordings;
    const when = found.exported ? `Exported ${found.exported.time.slice(0, 10)}. ` : "";
    return new FileSource(found.recordings, `${when}${found.exported?.frames_text ?? ""}`.trim());
  }

  async recordings(): Promise<Meta[]> {
    return this.metas;
  }

  async plane(id: string, name: PlaneName): Promise<Plane> {
    const plane = this.meta(id).planes.find((known) => known.name === name);
    if (!plane?.limits) throw new SourceError(NOT_IN);
    return plane;
  }

  async column(id: string, name: string): Promise<ArrayBuffer> {
    return inflate(await this.text(`${id}-column-${name}`));
  }

  episodes(id: string): Promise<Episodes> {
    return this.json(`${id}-episodes`);
  }

  async episode(id: string, episode: number): Promise<EpisodeData> {
    const details = await this.json<Record<string, EpisodeData>>(`${id}-details`, {});
    return details[episode] ?? this.rebuild(id, episode);
  }

  async numbers(id: string, episode: number): Promise<EpisodeNumbers | null> {
    return (await this.json<Record<string, EpisodeNumbers>>(`${id}-numbers`, {}))[episode] ?? null;
  }

  async frames(id: string, first: number, count: number): Promise<(Blob | null)[]> {
    const known = await this.unpacked(id);
    return Array.from({ length: count }, (_, offset) => known.get(first + offset));
  }

  async picturesOf(id: string, rows: readonly number[]): Promise<(Blob | null)[]> {
    const known = await this.unpacked(id);
    return rows.map((row) => known.get(row));
  }

  async observationsOf(id: string, rows: readonly number[]): Promise<((number | null)[] | null)[]> {
    const recording = this.recording(id);
    const [known, { first_row }] = await Promise.all([this.json<Record<string, EpisodeNumbers>>(`${id}-numbers`, {}), recording.loadEpisodes()]);
    return rows.map((row) => {
      const episode = recording.episodeOf(row);
      return known[episode]?.numbers.map((course) => course[row - first_row[episode]] ?? null) ?? null;
    });
  }

  async near(id: string, query: NearQuery, within: Uint8Array | null): Promise<Near> {
    if (query.by !== "plane") throw new SourceError(`This page was exported, without ${query.by === "features" ? "the features of the states" : "all frames"}: only what is near in a plane can be found.`);
    return nearInPlane(this.recording(id), query, within);
  }

  hasFrame(id: string, row: number): boolean {
    const known = this.pictures.get(id);
    if (!known && !this.unpacking.has(id)) void this.unpacked(id).then(() => this.framesCame());
    return known?.has(row) ?? false;
  }

  async mean(id: string, cluster: number): Promise<Blob | null> {
    const found = (await this.json<Record<string, string>>(`${id}-means`, {}))[cluster];
    return found ? new Blob([bytes(found)], { type: "image/png" }) : null;
  }

  async picture(address: string): Promise<Blob | null> {
    const found = this.means.get(address);
    if (!found) return null;
    const known = await this.unpacked(found.id);
    return meanOf(found.rows.map((row) => known.get(row) as Blob), this.meta(found.id).frame_shape);
  }

  clusters(id: string): Promise<Cards> {
    return this.json(`${id}-clusters`);
  }

  transitions(id: string): Promise<Transitions> {
    return this.json(`${id}-transitions`);
  }

  async moves(id: string, from: number, to: number): Promise<Playlist> {
    const found = (await this.json<Record<string, Playlist>>(`${id}-moves`, {}))[`${from}-${to}`];
    if (!found) throw new SourceError(NOT_IN);
    return found;
  }

  async playlist(id: string, name: string): Promise<Playlist> {
    const found = (await this.json<Record<string, Playlist>>(`${id}-playlists`, {}))[name];
    if (!found) throw new SourceError(NOT_IN);
    return found;
  }

  async inside(id: string, query: InsideQuery, within: Uint8Array | null): Promise<Inside> {
    const recording = this.recording(id);
    const { selections } = await this.annotations(id);
    await this.unpacked(id);
    const { numbers, rows } = await compareInside(recording, query, selections, await this.draws(id), within, (row) => this.hasFrame(id, row));
    this.asked++;
    const [inside, rest] = rows.map((side) => spread(side.filter((row) => this.hasFrame(id, row)), FRAMES_IN_MEAN));
    const addresses = [`inside-mean/${this.asked}`, `inside-mean-rest/${this.asked}`];
    this.means = new Map([[addresses[0], { id, rows: inside }], [addresses[1], { id, rows: rest }]]);
    return {
      ...numbers, key: String(this.asked), num_frames: inside.length, num_frames_rest: rest.length,
      mean: inside.length ? addresses[0] : null, mean_rest: rest.length ? addresses[1] : null,
    };
  }

  private draws(id: string): Promise<Draws> {
    return this.recording(id).keep("draws", async () => readDraws(await inflate(await this.text(`${id}-draws`))));
  }

  compare(): Promise<Comparison> {
    return this.json("compare");
  }

  annotations(id: string): Promise<Annotations> {
    return this.json(`${id}-annotations`, { version: 0, clusters: {}, selections: [], tags: {} });
  }

  saveCluster(): Promise<never> {
    return Promise.reject(new SourceError(READ_ONLY));
  }

  saveSelection(): Promise<never> {
    return Promise.reject(new SourceError(READ_ONLY));
  }

  saveTag(): Promise<never> {
    return Promise.reject(new SourceError(READ_ONLY));
  }

  deleteSelection(): Promise<never> {
    return Promise.reject(new SourceError(READ_ONLY));
  }

  watch(): () => void {
    return () => undefined;
  }

  rowsAddress(): null {
    return null;
  }

  clipAddress(): null {
    return null;
  }

  private meta(id: string): Meta {
    return this.recording(id).meta;
  }

  private recording(id: string): Recording {
    const found = this.own.get(id);
    if (!found) throw new SourceError(NOT_IN);
    return found;
  }

  private unpacked(id: string): Promise<Pictures> {
    const unpack = async (): Promise<Pictures> => {
      const known = new Pictures(bytes((await this.block(`${id}-frames`))?.textContent ?? ""));
      this.pictures.set(id, known);
      return known;
    };
    const found = this.unpacking.get(id) ?? unpack();
    this.unpacking.set(id, found);
    return found;
  }

  private async block(name: string): Promise<HTMLElement | null> {
    const found = document.getElementById(`data-${name}`);
    // While the file is being read, a block that is there may be there in part: only if another one follows, it is whole.
    if (found?.nextElementSibling) return found;
    await whole;
    return document.getElementById(`data-${name}`);
  }

  private async text(name: string): Promise<string> {
    const found = (await this.block(name))?.textContent;
    if (!found) throw new SourceError(NOT_IN);
    return found;
  }

  private async json<T>(name: string, otherwise?: T): Promise<T> {
    if (otherwise !== undefined && !(await this.block(name))) return otherwise;
    return JSON.parse(new TextDecoder().decode(await inflate(await this.text(name)))) as T;
  }

  /** An episode whose frames are not in the page, from the columns; those that were not exported stay unknown. */
  private async rebuild(id: string, episode: number): Promise<EpisodeData> {
    const recording = this.recording(id);
    const { first_row, num_rows } = await this.episodes(id);
    const [first, count] = [first_row[episode], num_rows[episode]];
    if (recording.count < recording.meta.num_states) throw new SourceError(`Episode ${episode} was not exported with the page.`);
    const parts = recording.meta.action_parts.map((_, part) => partColumn(part));
    const names = ["step", "action", "value", "reward", "cluster", "uncertainty", ...parts].filter((name) => recording.column(name));
    const planes = PLANE_NAMES.filter((name) => recording.plane(name)?.limits && document.getElementById(`data-${id}-column-${name}`));
    await Promise.all([...names, ...planes].map((name) => recording.load(name)));
    const column = (name: string): number[] =>
      Array.from(recording.get(name)?.subarray(first, first + count) ?? [], (raw) => recording.decode(name, raw));
    const known = (name: string): number[] | null => (recording.get(name) ? column(name) : null);
    const episodes = await this.episodes(id);
    const whole = { length: episodes.length[episode], episode_return: episodes.episode_return[episode] };
    return {
      episode, first_row: first, ...whole, step: column("step"), reward: column("reward"), action: known("action"), value: known("value"),
      action_parts: parts.map(column), cluster: known("cluster"), uncertainty: known("uncertainty"),
      planes: Object.fromEntries(
        planes.map((name) => {
          const limits = recording.plane(name)?.limits;
          return [name, Array.from({ length: count }, (_, offset) => {
            const unit = recording.unit(name, first + offset);
            return unit && limits ? fromUnit(limits, unit) : null;
          })];
        }),
      ),
    };
  }
}

/** At most so many of some things, evenly chosen. */
function spread<T>(all: readonly T[], most: number): T[] {
  return all.length <= most ? [...all] : Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)]);
}

/** Pictures by row, packed: uint32 count, rows, sizes, then the pictures one after the other. */
class Pictures {
  private readonly places = new Map<number, [start: number, end: number]>();

  constructor(private readonly content: Uint8Array<ArrayBuffer>) {
    if (content.length < 4) return;
    const count = new Uint32Array(content.buffer, 0, 1)[0];
    const rows = new Uint32Array(content.buffer, 4, count);
    const sizes = new Uint32Array(content.buffer, 4 + 4 * count, count);
    let start = 4 + 8 * count;
    rows.forEach((row, at) => {
      this.places.set(row, [start, start + sizes[at]]);
      start += sizes[at];
    });
  }

  has(row: number): boolean {
    const place = this.places.get(row);
    return place !== undefined && place[1] > place[0];
  }

  /** Made anew each time: to make thousands of blobs at once takes a browser most of a second. */
  get(row: number): Blob | null {
    const place = this.places.get(row);
    return place ? new Blob([this.content.subarray(...place)]) : null;
  }
}
