// What is asked of single states in the same moment is fetched together: one request in place of one for each.

/** Longest that a tile waits for the others: several shorter requests show something earlier than one long one. */
const MOST_AT_ONCE = 48;

export class Gathered<T> {
  private batch: { rows: number[]; answer: Promise<(T | null)[]> } | null = null;

  constructor(private readonly ask: (rows: readonly number[]) => Promise<(T | null)[]>) {}

  get(row: number): Promise<T | null> {
    if (!this.batch || this.batch.rows.length >= MOST_AT_ONCE) this.batch = this.begin();
    const { rows, answer } = this.batch;
    const place = rows.push(row) - 1;
    return answer.then((found) => found[place] ?? null);
  }

  private begin(): { rows: number[]; answer: Promise<(T | null)[]> } {
    const rows: number[] = [];
    const answer = new Promise((resolve) => setTimeout(resolve)).then(() => {
      if (this.batch?.rows === rows) this.batch = null;
      return this.ask(rows);
    });
    return { rows, answer };
  }
}
