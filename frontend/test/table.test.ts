// Tables as CSV and LaTeX: what a program and a compiler read is what was meant.
import assert from "node:assert/strict";
import test from "node:test";
import { wilson } from "../src/save/intervals";
import { latex, type Table, toCsv, toLatex } from "../src/save/table";

const TABLE: Table = {
  name: "clusters",
  caption: "50% of “A & B”",
  columns: [
    { name: "cluster", title: "cluster" }, { name: "name", title: "name", isText: true }, { name: "share", title: "share" }, { name: "low", title: null },
    { name: "interval", title: "95% interval", isWords: true },
  ],
  rows: [
    [{ value: 0 }, { value: 'coin, "near"' }, { value: 0.123456789, text: "12.3%" }, { value: -0.5 }, { value: null, text: "[−50%, 1%]" }],
    [{ value: 1 }, { value: "=HYPERLINK(1)" }, { value: null }, { value: NaN }, { value: null, text: "" }],
  ],
};

test("CSV has all digits, quotes what needs it, and has no column of words alone", () => {
  assert.equal(toCsv(TABLE), 'cluster,name,share,low\n0,"coin, ""near""",0.123456789,-0.5\n1,\'=HYPERLINK(1),,\n');
});

test("LaTeX has rounded numbers, rules of booktabs, and no column for programs alone", () => {
  const lines = toLatex(TABLE).split("\n").map((line) => line.trim());
  assert.ok(lines.includes("\\begin{tabular}{rlrr}"));
  assert.ok(lines.includes("cluster & name & share & 95\\% interval \\\\"));
  assert.ok(lines.includes("0 & coin, ''near'' & 12.3\\% & [$-$50\\%, 1\\%] \\\\"));
  assert.ok(lines.includes("1 & =HYPERLINK(1) & -- & -- \\\\"));
  assert.ok(lines.includes("\\caption{50\\% of ``A \\& B''}"));
  for (const rule of ["\\toprule", "\\midrule", "\\bottomrule"]) assert.equal(lines.filter((line) => line === rule).length, 1);
});

test("a long table goes on from page to page", () => {
  const text = toLatex({ ...TABLE, rows: Array.from({ length: 100 }, () => TABLE.rows[0]) });
  assert.match(text, /\\begin\{longtable\}\{rlrr\}/);
  assert.match(text, /\\endhead/);
  assert.ok(!text.includes("begin{table}"));
});

test("every letter that means something to LaTeX is escaped", () => {
  assert.equal(latex("\\ { } $ & # % _ ^ ~"), "\\textbackslash{} \\{ \\} \\$ \\& \\# \\% \\_ \\textasciicircum{} \\textasciitilde{}");
  assert.equal(latex("a\nb"), "a b");
});

test("Wilson's interval is that of the textbook", () => {
  const [low, high] = wilson(0.8, 10) ?? [NaN, NaN];
  assert.ok(Math.abs(low - 0.4902) < 1e-4 && Math.abs(high - 0.9433) < 1e-4);
  assert.equal(wilson(0.5, 0), null);
  assert.equal(wilson(1, 3)?.[1], 1);
});
