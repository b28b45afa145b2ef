// Which states of a contact sheet are chosen: one, several with Ctrl or Shift, or all, as in a list of files.

export interface Choice {
  /** Of each place of the order, 1 if it is chosen. */
  marks: Uint8Array;
  count: number;
  /** The place that has the keyboard; -1: none. */
  active: number;
  /** Where a range begins that Shift extends. */
  anchor: number;
}

export type How = "one" | "toggle" | "extend";

export function nothing(size: number): Choice {
  return { marks: new Uint8Array(size), count: 0, active: -1, anchor: -1 };
}

export function choose(before: Choice, at: number, how: How): Choice {
  const { length } = before.marks;
  if (at < 0 || at >= length) return before;
  if (how === "toggle") {
    const marks = before.marks.slice();
    marks[at] ^= 1;
    return { marks, count: before.count + (marks[at] ? 1 : -1), active: at, anchor: at };
  }
  const anchor = how === "extend" && before.anchor >= 0 ? before.anchor : at;
  const [low, high] = [Math.min(anchor, at), Math.max(anchor, at)];
  const marks = new Uint8Array(length).fill(1, low, high + 1);
  return { marks, count: high - low + 1, active: at, anchor };
}

export function chooseAll(before: Choice): Choice {
  return { ...before, marks: new Uint8Array(before.marks.length).fill(1), count: before.marks.length };
}

const FEW_TO_SORT = 10_000;

/** The rows that are chosen, ascending. */
export function chosenRows({ marks, count }: Choice, rows: Uint32Array): Uint32Array {
  const found = new Uint32Array(count);
  let [next, last] = [0, 0];
  for (let at = 0; at < marks.length; at++) if (marks[at]) last = Math.max(last, (found[next++] = rows[at]));
  if (count < FEW_TO_SORT) return found.sort();
  const isThere = new Uint8Array(last + 1); // of many, this is quicker than sorting
  for (let at = 0; at < count; at++) isThere[found[at]] = 1;
  next = 0;
  for (let row = 0; row <= last; row++) if (isThere[row]) found[next++] = row;
  return found.subarray(0, next);
}

const MOST_CARRIED = 20_000;

/** The same states chosen on a sheet whose order has changed; none if there were very many. */
export function carried(choice: Choice, before: Uint32Array, now: Uint32Array): Choice {
  const next = nothing(now.length);
  if (!choice.count || choice.count > MOST_CARRIED) return next;
  const kept = new Set(chosenRows(choice, before));
  const active = choice.active >= 0 ? before[choice.active] : -1;
  for (let at = 0; at < now.length; at++) {
    if (kept.has(now[at])) {
      next.marks[at] = 1;
      next.count++;
    }
    if (now[at] === active) next.active = next.anchor = at;
  }
  return next;
}
