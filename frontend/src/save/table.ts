// A table as one takes it along: CSV with full numbers for programs, LaTeX (booktabs) with rounded ones for papers.

/** A cell: a number or text as it is, and how it is written in a paper. */
export interface Cell {
  value: number | string | null;
  /** As LaTeX writes it, plain text that is escaped there; absent: the value. */
  text?: string;
}

export interface Column {
  /** In CSV: words joined by underscores. */
  name: string;
  /** In LaTeX; null: the column is for programs alone. */
  title: string | null;
  isText?: boolean;
  /** The column is for people alone: programs find its numbers in others. */
  isWords?: boolean;
}

export interface Table {
  /** Part of the file's name. */
  name: string;
  /** What it shows, of what, how many: a sentence for the caption. */
  caption: string;
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
}

const NO_NUMBER = "";
const NONE = "--";

/** RFC 4180, with LF: opens in every spreadsheet and every data frame. */
export function toCsv({ columns, rows }: Table): string {
  const kept = columns.map((_, at) => at).filter((at) => !columns[at].isWords);
  const lines = [kept.map((at) => quoted(columns[at].name)), ...rows.map((row) => kept.map((at) => quoted(row[at].value ?? NO_NUMBER)))];
  return `${lines.map((line) => line.join(",")).join("\n")}\n`;
}

/** In text, spreadsheets would take these for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/;

function quoted(value: number | string): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : NO_NUMBER;
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** Longer tables go on from page to page. */
const MOST_ON_A_PAGE = 45;

/** A table that needs the package booktabs, and longtable if it is long. */
export function toLatex(table: Table): string {
  const shown = table.columns.map((column, at) => ({ ...column, at })).filter(({ title }) => title !== null);
  const line = (cells: readonly string[]): string => `    ${cells.join(" & ")} \\\\`;
  const isLong = table.rows.length > MOST_ON_A_PAGE;
  const [layout, caption] = [shown.map(({ isText }) => (isText ? "l" : "r")).join(""), `\\caption{${latex(table.caption)}}`];
  const head = ["    \\toprule", line(shown.map(({ title }) => latex(title ?? ""))), "    \\midrule"];
  const rows = table.rows.map((row) => line(shown.map(({ at }) => cell(row[at]))));
  const needs = `% needs \\usepackage{booktabs}${isLong ? " and \\usepackage{longtable}" : ""}; names that are not in Latin letters need XeLaTeX or LuaLaTeX`;
  if (isLong) return [needs, `\\begin{longtable}{${layout}}`, `    ${caption} \\\\`, ...head, "    \\endhead", ...rows, "    \\bottomrule", "\\end{longtable}", ""].join("\n");
  return [needs, "\\begin{table}", "  \\centering", `  ${caption}`, `  \\begin{tabular}{${layout}}`, ...head, ...rows, "    \\bottomrule", "  \\end{tabular}", "\\end{table}", ""].join("\n");
}

function cell({ value, text }: Cell): string {
  if (text !== undefined) return text === "" || text === "–" ? NONE : latex(text);
  return value === null ? NONE : latex(typeof value === "number" ? String(value) : value);
}

const ESCAPES: Record<string, string> = {
  "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", $: "\\$", "&": "\\&", "#": "\\#", "%": "\\%", _: "\\_", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}",
  "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", '"': "''",
};
const SIGNS: Record<string, string> = {
  "−": "$-$", "×": "$\\times$", "→": "$\\rightarrow$", "←": "$\\leftarrow$", "↑": "$\\uparrow$", "↓": "$\\downarrow$", "–": "--", "…": "\\ldots{}", "“": "``", "”": "''", "’": "'",
  "λ": "$\\lambda$", "σ": "$\\sigma$", "≤": "$\\leq$", "≥": "$\\geq$", "·": "$\\cdot$", "↖": "$\\nwarrow$", "↗": "$\\nearrow$", "↘": "$\\searrow$", "↙": "$\\swarrow$",
};

/** Text as LaTeX prints it letter by letter. */
export function latex(text: string): string {
  return [...text.replace(/[\n\r\t]+/g, " ")].map((letter) => ESCAPES[letter] ?? SIGNS[letter] ?? letter).join("");
}
