// Which points pass the filters: a bit for each filter and point, set where the point fails it.
//
// When a filter changes, one pass over its column sets its bit again; a point is shown if none of its bits are set. A
// histogram of a column leaves out the bits of that column's own filters, so that one sees what else could be chosen.
import { columnNamed, type FilterColumn, passingCodes } from "./filter_columns";
import { FilterError, parseFilter, type Tree } from "./filter_expression";

export const MOST_FILTERS = 31;

/** Points that pass a tree: by a table of one column's codes, or by what several columns say of each point. */
type Passing = { column: FilterColumn; table: Uint8Array } | { column: null; table: Uint8Array };

export class FilterMask {
  /** Of each filter that is applied: its bit, and the columns that it compares. */
  private readonly bits = new Map<string, { bit: number; columns: Set<string>; table: Passing }>();
  private readonly fails: Uint32Array;

  constructor(private readonly count: number) {
    this.fails = new Uint32Array(count);
  }

  /** Apply these filters and no others: those that are applied already cost nothing. Returns what is wrong with those that cannot be applied. */
  apply(filters: readonly string[], columns: readonly FilterColumn[]): Map<string, string> {
    const wanted = [...new Set(filters)];
    const wrong = new Map<string, string>();
    const kept = wanted.filter((text) => this.bits.has(text)).length;
    const added = wanted.filter((text) => !this.bits.has(text)).flatMap((text, at) => {
      try {
        if (kept + at >= MOST_FILTERS) throw new FilterError(`There can be at most ${MOST_FILTERS} filters at once.`);
        const tree = parseFilter(text);
        return { text, table: passing(tree, columns, this.count), columns: columnsOf(tree, columns) };
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        wrong.set(text, error.message);
        return [];
      }
    });
    let left = 0; // bits of filters that are no longer wanted
    for (const [text, { bit }] of this.bits) {
      if (wanted.includes(text)) continue;
      left |= bit;
      this.bits.delete(text);
    }
    for (const { text, table, columns: compared } of added) {
      const bit = this.freeBit();
      this.bits.set(text, { bit, columns: compared, table });
      this.mark(table, bit, left);
      left = 0;
    }
    if (left) for (let index = 0; index < this.count; index++) this.fails[index] &= ~left;
    return wrong;
  }

  /** 1 for each point that passes all filters, else 0; and how many do. */
  visible(): { mask: Uint8Array; count: number } {
    const { fails } = this;
    const mask = new Uint8Array(this.count);
    let count = 0;
    for (let index = 0; index < mask.length; index++) {
      const passes = fails[index] === 0 ? 1 : 0;
      mask[index] = passes;
      count += passes;
    }
    return { mask, count };
  }

  /** How many points of each bin pass the filters of all other columns; `bins` has the bin of each code. */
  histogram(column: FilterColumn, bins: Uint16Array, numBins: number): Uint32Array {
    let others = 0;
    for (const { bit, columns } of this.bits.values()) if (columns.size > 1 || !columns.has(column.name)) others |= bit;
    const { fails } = this;
    const codes = column.codes();
    const counts = new Uint32Array(numBins);
    for (let index = 0; index < this.count; index++) if ((fails[index] & others) === 0) counts[bins[codes[index]]]++;
    return counts;
  }

  /** Whether each code of a column passes the column's own filters; null if it has none. */
  chosen(column: FilterColumn): Uint8Array | null {
    let chosen: Uint8Array | null = null;
    for (const { columns, table } of this.bits.values()) {
      if (columns.size > 1 || !columns.has(column.name) || !table.column) continue;
      chosen = chosen ? chosen.map((passes, code) => passes & table.table[code]) : table.table;
    }
    return chosen;
  }

  private freeBit(): number {
    let bit = 1;
    const taken = [...this.bits.values()].reduce((all, one) => all | one.bit, 0);
    while (taken & bit) bit <<= 1;
    return bit;
  }

  /** Set a bit for the points that do not pass, and clear others. */
  private mark({ column, table }: Passing, bit: number, cleared: number): void {
    const { fails } = this;
    const keep = ~(bit | cleared);
    if (column) {
      const codes = column.codes();
      for (let index = 0; index < fails.length; index++) fails[index] = (fails[index] & keep) | (table[codes[index]] ? 0 : bit);
    } else for (let index = 0; index < fails.length; index++) fails[index] = (fails[index] & keep) | (table[index] ? 0 : bit);
  }
}

function columnsOf(tree: Tree, columns: readonly FilterColumn[]): Set<string> {
  if (tree.kind === "not") return columnsOf(tree.part, columns);
  if ("parts" in tree) return new Set(tree.parts.flatMap((part) => [...columnsOf(part, columns)]));
  return new Set([columnNamed(columns, tree.column).name]);
}

function passing(tree: Tree, columns: readonly FilterColumn[], count: number): Passing {
  if (tree.kind === "is" || tree.kind === "in") {
    const column = columnNamed(columns, tree.column);
    return { column, table: passingCodes(column, tree) };
  }
  if (tree.kind === "not") {
    const { column, table } = passing(tree.part, columns, count);
    return { column, table: table.map((passes) => passes ^ 1) } as Passing;
  }
  const parts = tree.parts.map((part) => passing(part, columns, count));
  const { column } = parts[0];
  const isOne = column !== null && parts.every((part) => part.column?.name === column.name);
  const tables = isOne ? parts.map((part) => part.table) : parts.map((part) => ofPoints(part, count));
  const joined = tables[0].slice();
  for (const table of tables.slice(1)) {
    if (tree.kind === "and") for (let at = 0; at < joined.length; at++) joined[at] &= table[at];
    else for (let at = 0; at < joined.length; at++) joined[at] |= table[at];
  }
  return { column: isOne ? column : null, table: joined } as Passing;
}

function ofPoints({ column, table }: Passing, count: number): Uint8Array {
  if (!column) return table;
  const codes = column.codes();
  const found = new Uint8Array(count);
  for (let index = 0; index < count; index++) found[index] = table[codes[index]];
  return found;
}
