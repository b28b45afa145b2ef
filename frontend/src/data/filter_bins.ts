// The bins of a column's histogram, and the filter that a choice among them is.
import type { FilterColumn } from "./filter_columns";
import { compact, percent, short } from "../ui/format";
import { written } from "./filter_expression";

export interface Bins {
  /** Of each code, its bin; codes that are in none have `count`. */
  of: Uint16Array;
  count: number;
  /** Where bins begin and the last one ends, if they are ranges of numbers; else null. */
  edges: number[] | null;
  /** What each bin is called, if each is one number or text; else null. */
  labels: string[] | null;
}

const MOST_BINS = 36;

/** Codes of the column must be there. */
export function binsOf(column: FilterColumn): Bins {
  const of = new Uint16Array(column.numCodes());
  const { texts, few } = column;
  if (texts || few) {
    const count = (texts ?? few ?? []).length;
    of.fill(count);
    if (texts) texts.forEach(({ code }, bin) => (of[code] = bin));
    else for (let code = 0; code < of.length; code++) {
      const bin = (few as number[]).findIndex((number) => Math.abs(number - column.number(code)) <= column.error);
      if (bin >= 0) of[code] = bin;
    }
    return { of, count, edges: null, labels: texts ? texts.map(({ text }) => text) : (few as number[]).map((number) => numberText(column, number)) };
  }
  const [low, high] = [column.low, Math.max(column.high, column.low)];
  const step = niceStep(high - low, column.isWhole);
  const first = Math.floor(low / step + 1e-9);
  const count = Math.max(Math.floor((high + column.error) / step + 1e-9) - first + (column.isWhole ? 1 : 0), Math.ceil((high - column.error) / step - 1e-9) - first, 1);
  for (let code = 0; code < of.length; code++) {
    const bin = Math.floor((column.number(code) + column.error) / step + 1e-9) - first;
    of[code] = Number.isNaN(bin) ? count : Math.min(Math.max(bin, 0), count - 1);
  }
  const edges = Array.from({ length: count + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
  return { of, count, edges, labels: null };
}

/** A round step of which no more than MOST_BINS cover a range. */
function niceStep(range: number, isWhole: boolean): number {
  if (!(range > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(range / MOST_BINS));
  const step = [1, 2, 5, 10, 20].map((factor) => factor * power).find((one) => range / one <= MOST_BINS - 2) ?? 20 * power;
  return isWhole ? Math.max(Math.round(step), 1) : step;
}

/** A column's number as it is written in a filter. */
export function numberText(column: FilterColumn, number: number): string {
  if (column.isShare) return `${Number((100 * number).toPrecision(6))}%`;
  return String(Number(number.toPrecision(column.isWhole ? 15 : 7)));
}

/** A column's number as it is shown. */
export function shownNumber(column: FilterColumn, number: number): string {
  if (column.isShare) return percent(number, 0);
  return Math.abs(number) >= 1e5 ? compact(number) : short(number);
}

/** The filter "from bin `from` to bin `to`"; null if that is all. */
export function rangeFilter(column: FilterColumn, bins: Bins, from: number, to: number): string | null {
  const edges = bins.edges as number[];
  const name = written(column.name);
  const [low, high] = [numberText(column, edges[from]), numberText(column, edges[to + 1])];
  const [isFirst, isLast] = [from <= 0, to >= bins.count - 1];
  if (isFirst && isLast) return null;
  if (column.isWhole) {
    const last = edges[to + 1] - 1;
    if (last === edges[from]) return `${name} == ${low}`;
    if (isFirst) return `${name} <= ${numberText(column, last)}`;
    return isLast ? `${name} >= ${low}` : `${low} <= ${name} <= ${numberText(column, last)}`;
  }
  if (isFirst) return `${name} < ${high}`;
  return isLast ? `${name} >= ${low}` : `${low} <= ${name} < ${high}`;
}

/** The filter "one of these bins"; null if that is none or all. */
export function choiceFilter(column: FilterColumn, bins: Bins, chosen: readonly number[]): string | null {
  if (!chosen.length || chosen.length === bins.count) return null;
  const labels = (bins.labels as string[]).map((label) => (column.texts ? written(label) : label));
  const [first] = chosen;
  return chosen.length === 1 ? `${written(column.name)} == ${labels[first]}` : `${written(column.name)} in (${chosen.map((bin) => labels[bin]).join(", ")})`;
}
