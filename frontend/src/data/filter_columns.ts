// The columns that a filter can name: what the points have, and what their episodes have.
//
// Every column holds codes: small whole numbers, of which each stands for a number or a text. What a filter says of a
// column is computed once for each code, and then looked up for each point.
import { type Episodes, HIGHEST } from "./contract";
import type { FilterColumn } from "./filter_column";
import { FilterError, type Sign, type Tree, type Word } from "./filter_expression";
import type { Recording, Values } from "./recording";
import { tagColumns } from "./tags";

export type { FilterColumn };


const FEW = 12;
/** success_of in the server: 255 if the episode has not ended. */
const SUCCESS = [{ code: 1, text: "yes", also: ["true", "1"] }, { code: 0, text: "no", also: ["false", "0"] }, { code: 255, text: "not ended", also: [] }];
const ROUNDING = 1e-6;
/** Of the distance between two codes: what lies halfway is equal to neither. */
const ALMOST_HALF = 0.5 * (1 - 1e-6);

/** All columns of a recording; its episodes must be there. */
export function filterColumns(recording: Recording): FilterColumn[] {
  const { meta } = recording;
  const episodes = recording.episodes as Episodes;
  const found: FilterColumn[] = [];
  const add = (column: FilterColumn | null): void => {
    if (!column) return;
    const taken = found.some(({ name }) => name === column.name);
    found.push(taken ? { ...column, name: `${column.name} (own)` } : column);
  };
  const named = (name: string, source = name, more: Partial<FilterColumn> = {}): FilterColumn | null => ofPoints(recording, name, source, more);
  add(named("value"));
  add(named("time", "progress", { isShare: true }));
  add(named("reward"));
  add(named("return_to_go"));
  add(ofEpisodes(recording, "return", episodes.episode_return));
  add(ofEpisodes(recording, "length", episodes.length));
  add(episodes.level_seed && ofEpisodes(recording, "level", episodes.level_seed));
  add(named("uncertainty", "uncertainty", { isShare: true }));
  if (meta.num_codes) add(named("cluster", "cluster", { few: meta.colors.map((_, cluster) => cluster), high: Math.max(meta.num_codes - 1, 0) }));
  const actions = meta.action_names.map((text, code) => ({ code, text, also: [meta.action_signs[code], String(code)].filter(Boolean) }));
  if (meta.num_actions) add(named("action", "action", { texts: actions }));
  if (meta.success_known) add(named("success", "success", { texts: SUCCESS }));
  add(named("step"));
  add(ofEpisodes(recording, "episode", episodes.length.map((_, episode) => episode)));
  for (const column of tagColumns(recording)) add(column);
  for (const column of meta.columns.filter(({ title }) => title !== undefined)) {
    const texts = column.categories?.map((text, code) => ({ code, text, also: [] })) ?? null;
    add(named(column.title ?? column.name, column.name, { texts }));
  }
  return found;
}

function ofPoints(recording: Recording, name: string, source: string, more: Partial<FilterColumn>): FilterColumn | null {
  const column = recording.column(source);
  if (!column) return null;
  const top = column.dtype === "uint8" ? 255 : HIGHEST;
  const isRange = column.low != null && column.high != null;
  const number = (code: number): number => (code === column.unknown ? NaN : recording.decode(source, code)); // passes no comparison
  const codes = (): Values => recording.get(source) as Values;
  const most = (): number => recording.keepNow(`highest ${source}`, () => highest(codes()));
  const { levels } = column;
  return {
    name, source, codes, number, texts: null,
    numCodes: () => (column.dtype === "uint8" ? 256 : column.dtype === "uint16" ? HIGHEST + 1 : most() + 1),
    few: levels && levels.length <= FEW ? levels : null,
    isWhole: !isRange && (levels ?? []).every(Number.isInteger), isShare: false,
    low: column.low ?? levels?.[0] ?? 0,
    get high() {
      if (column.unknown !== undefined) return number(column.unknown - 1);
      return column.high ?? levels?.[levels.length - 1] ?? (recording.get(source) ? most() : 0);
    },
    error: isRange ? (((column.high as number) - (column.low as number)) / top) * ALMOST_HALF : levels ? ROUNDING * Math.max(...levels.map(Math.abs), 1) : 0,
    numUnknown: column.num_unknown ?? 0, ...more,
  };
}

function ofEpisodes(recording: Recording, name: string, numbers: readonly number[]): FilterColumn {
  const isWhole = numbers.every(Number.isInteger);
  const [low, high] = [Math.min(...spreadOf(numbers)), Math.max(...spreadOf(numbers))];
  const several = new Set(numbers);
  return {
    name, source: null, texts: null, isWhole, isShare: false, numUnknown: 0, low, high,
    numCodes: () => numbers.length, number: (code) => numbers[code], codes: () => episodesOfPoints(recording),
    few: several.size <= FEW ? [...several].sort((one, other) => one - other) : null,
    error: isWhole ? 0 : ROUNDING * Math.max(Math.abs(low), Math.abs(high), 1),
  };
}

/** Least and greatest, without handing a million arguments to one function. */
function spreadOf(numbers: readonly number[]): [number, number] {
  return numbers.length ? numbers.reduce(([low, high], one): [number, number] => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]) : [0, 0];
}

function highest(values: Values): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

/** The episode of each point. */
export function episodesOfPoints(recording: Recording): Uint32Array {
  return recording.keepNow("episodes of points", () => {
    const { first_row } = recording.episodes as Episodes;
    const found = new Uint32Array(recording.count);
    for (let index = 0, episode = 0; index < found.length; index++) {
      const row = recording.rowOf(index);
      while (episode + 1 < first_row.length && first_row[episode + 1] <= row) episode++;
      found[index] = episode;
    }
    return found;
  });
}

/** Find a column by its name; throws FilterError. */
export function columnNamed(columns: readonly FilterColumn[], name: string): FilterColumn {
  const found = columns.find((column) => column.name === name) ?? columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const near = nearest(name, columns.map((column) => column.name));
  throw new FilterError(`There is no column “${name}”${near ? `; did you mean ${near}?` : `; there are ${columns.map((column) => column.name).join(", ")}.`}`);
}

function nearest(name: string, names: readonly string[]): string | null {
  const ranked = names.map((one): [number, string] => [distance(name.toLowerCase(), one.toLowerCase()), one]).sort(([a], [b]) => a - b);
  return ranked.length && ranked[0][0] <= Math.max(1, name.length / 3) ? ranked[0][1] : null;
}

/** Letters to insert, leave out or exchange to make one word of the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at++) {
    const next = [at];
    for (let to = 1; to <= other.length; to++) next[to] = Math.min(row[to] + 1, next[to - 1] + 1, row[to - 1] + Number(one[at - 1] !== other[to - 1]));
    row = next;
  }
  return row[other.length];
}

/** Whether each code of a column passes a comparison: 1 or 0; throws FilterError. */
export function passingCodes(column: FilterColumn, tree: Extract<Tree, { kind: "is" | "in" }>): Uint8Array {
  const passing = new Uint8Array(column.numCodes());
  if (column.texts) {
    if (tree.kind === "is" && tree.sign !== "==" && tree.sign !== "!=") throw new FilterError(`${column.name} has no order: write ${column.name} == … or ${column.name} in (…).`);
    for (const word of tree.kind === "in" ? tree.words : [tree.word]) for (const code of column.codesOf?.(word.text) ?? [codeOf(column, word)]) passing[code] = 1;
    if (tree.kind === "is" && tree.sign === "!=") for (const { code } of column.texts) passing[code] ^= 1;
    return passing;
  }
  const tests = tree.kind === "in" ? tree.words.map((word) => test("==", numberOf(column, word), column.error)) : [test(tree.sign, numberOf(column, tree.word), column.error)];
  for (let code = 0; code < passing.length; code++) {
    const number = column.number(code);
    passing[code] = Number(tests.some((passes) => passes(number)));
  }
  return passing;
}

function numberOf(column: FilterColumn, { number, text }: Word): number {
  if (number === null) throw new FilterError(`${column.name} holds numbers, and “${text}” is none.`);
  return number;
}

function codeOf(column: FilterColumn, { text }: Word): number {
  const known = column.texts ?? [];
  const low = text.toLowerCase();
  const found = known.find((one) => one.text === text) ?? known.find((one) => one.text.toLowerCase() === low || one.also.includes(low));
  if (found) return found.code;
  const near = nearest(text, known.map((one) => one.text));
  const some = known.slice(0, FEW).map((one) => one.text).join(", ");
  throw new FilterError(`“${text}” is no ${column.name}${near ? `; did you mean ${near}?` : `; there are ${some}${known.length > FEW ? " and others" : ""}.`}`);
}

/** Compare with a number that may be stored a little wrong: equal ones are those that differ by no more than that. */
function test(sign: Sign, wanted: number, error: number): (number: number) => boolean {
  switch (sign) {
    case "<": return (number) => number < wanted - error;
    case "<=": return (number) => number <= wanted + error;
    case ">": return (number) => number > wanted + error;
    case ">=": return (number) => number >= wanted - error;
    case "==": return (number) => Math.abs(number - wanted) <= error;
    case "!=": return (number) => Math.abs(number - wanted) > error;
  }
}
