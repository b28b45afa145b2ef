// Pictures of states: fetched in batches, kept as files, decoded shortly before they are shown.
import type { Source } from "../data/source";
import { Gathered } from "../data/gathered";
import { sentence } from "../data/store";

const MOST_FILES = 6000;
const MOST_DECODED = 160;
const BATCH = 48;
/** The first picture should not wait for the others. */
const FIRST_BATCH = 4;

export class Frames {
  private readonly files = new Map<number, Promise<Blob | null>>();
  private readonly decoded = new Map<number, Promise<ImageBitmap | null>>();
  private readonly ready = new Map<number, ImageBitmap | null>();
  private readonly gathered: Gathered<Blob>;
  /** Called with a sentence when pictures could not be fetched. */
  failed: (error: string) => void = () => undefined;

  constructor(
    private readonly source: Source,
    private readonly id: string,
    private readonly numRows: number,
  ) {
    this.gathered = new Gathered((rows) => source.picturesOf(id, rows));
  }

  /** The picture of a row if it is there now; null if there is none; undefined if one has to wait. */
  now(row: number): ImageBitmap | null | undefined {
    return this.ready.get(row);
  }

  /** The picture of a row, decoded; null where there is none. */
  get(row: number): Promise<ImageBitmap | null> {
    const known = this.decoded.get(row);
    if (known) {
      this.decoded.delete(row);
      this.decoded.set(row, known); // the least recently used is first
      return known;
    }
    const decoding = this.file(row).then(async (file) => {
      const bitmap = file ? await createImageBitmap(file).catch(() => null) : null;
      if (this.decoded.has(row)) this.ready.set(row, bitmap);
      return bitmap;
    });
    this.decoded.set(row, decoding);
    decoding.catch(() => this.decoded.delete(row));
    if (this.decoded.size > MOST_DECODED) {
      const oldest = this.decoded.keys().next().value as number;
      this.decoded.delete(oldest);
      this.ready.delete(oldest);
    }
    return decoding;
  }

  /** The picture of a row, as `get`; those of rows that are asked for at the same time are fetched together. */
  getGathered(row: number): Promise<ImageBitmap | null> {
    if (!this.files.has(row)) this.keep(row, this.gathered.get(row));
    return this.get(row);
  }

  /** Fetch the files of rows first … last, from `from` on, and decode those that come next. */
  ahead(from: number, last: number, decode = 10, fetch = 2 * BATCH): void {
    const until = Math.min(last, from + fetch - 1, this.numRows - 1);
    for (let row = from; row <= until; row++) {
      if (this.files.has(row)) continue;
      let end = row;
      const most = row === from ? FIRST_BATCH : BATCH;
      while (end < Math.min(last, row + most - 1, this.numRows - 1) && !this.files.has(end + 1)) end++;
      this.fetch(row, end - row + 1);
      row = end;
    }
    for (let row = from; row <= Math.min(from + decode - 1, until); row++) this.get(row).catch(() => undefined);
  }

  private file(row: number): Promise<Blob | null> {
    if (!this.files.has(row)) this.fetch(row, 1);
    return this.files.get(row) as Promise<Blob | null>;
  }

  private fetch(first: number, count: number): void {
    const answer = this.source.frames(this.id, first, count);
    for (let offset = 0; offset < count; offset++) this.keep(first + offset, answer.then((files) => files[offset] ?? null));
    answer.catch((error: unknown) => this.failed(sentence(error)));
  }

  private keep(row: number, file: Promise<Blob | null>): void {
    file.catch(() => this.files.delete(row));
    this.files.set(row, file);
    for (const oldest of this.files.keys()) {
      if (this.files.size <= MOST_FILES) break;
      this.files.delete(oldest);
    }
  }
}
