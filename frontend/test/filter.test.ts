// Filters: what is written is read, what is wrong is said, and what passes is what a loop over the points finds.
import assert from "node:assert/strict";
import test from "node:test";
import { choiceFilter, rangeFilter } from "../src/data/filter_bins";
import { columnNamed, episodesOfPoints, type FilterColumn } from "../src/data/filter_columns";
import { parseFilter, written } from "../src/data/filter_expression";
import { FilterMask } from "../src/data/filter_mask";
import { allCounts, filteredClusters, Filtering, keptBins } from "../src/data/filtered";
import { compareInside } from "../src/data/inside";
import type { Recording } from "../src/data/recording";
import { readHash, writeHash, FIRST_VIEW } from "../src/data/view";
import { GOLDEN, open } from "./golden";

async function opened(name = "clusters"): Promise<{ recording: Recording; columns: FilterColumn[]; filtering: Filtering }> {
  const { recording } = await open(GOLDEN.recordings.find((stored) => stored.name === name) ?? GOLDEN.recordings[0]);
  const filtering = new Filtering([recording]);
  return { recording, columns: await filtering.columns(recording), filtering };
}

/** Points for which something is true of their numbers, found one at a time. */
function passing(recording: Recording, columns: readonly FilterColumn[], is: (of: (name: string) => number) => boolean): number[] {
  return Array.from({ length: recording.count }, (_, index) => Number(is((name) => {
    const column = columnNamed(columns, name);
    return column.number(column.codes()[index]);
  })));
}

function applied(recording: Recording, columns: readonly FilterColumn[], ...filters: string[]): number[] {
  const mask = new FilterMask(recording.count);
  assert.deepEqual([...mask.apply(filters, columns)], []);
  return [...mask.visible().mask];
}

test("conditions are read with Python's precedence", () => {
  assert.deepEqual(parseFilter("value < 2 and cluster in (3, 5)"), {
    kind: "and",
    parts: [
      { kind: "is", column: "value", sign: "<", word: { kind: "number", text: "2", number: 2, at: 8 } },
      { kind: "in", column: "cluster", words: [{ kind: "number", text: "3", number: 3, at: 26 }, { kind: "number", text: "5", number: 5, at: 29 }] },
    ],
  });
  const loose = parseFilter("a == 1 or b == 1 and not c == 1");
  assert.ok(loose.kind === "or" && loose.parts[1].kind === "and" && loose.parts[1].parts[1].kind === "not");
  const grouped = parseFilter("(a == 1 OR b == 1) and c ≠ 1");
  assert.ok(grouped.kind === "and" && grouped.parts[0].kind === "or");
  const chained = parseFilter("10% <= time < .5");
  assert.ok(chained.kind === "and" && chained.parts[0].kind === "is" && chained.parts[0].sign === ">=" && chained.parts[0].word.number === 0.1);
  const quoted = parseFilter('"my column" not in ("a \\"b\\"", left)');
  assert.ok(quoted.kind === "not" && quoted.part.kind === "in" && quoted.part.column === "my column" && quoted.part.words[0].text === 'a "b"');
  assert.equal(written("jump left"), '"jump left"');
  assert.equal(written("in"), '"in"');
});

const WRONG: [string, RegExp][] = [
  ["", /compares a column with something/],
  ["value <", /Expected a number or a word, but the filter ends/],
  ["value 2", /Expected <, <=, .* but “2” stands at character 7/],
  ["(value < 2", /Expected a closing parenthesis, but the filter ends/],
  ["value < 2)", /Expected and, or, or the end, but “\)” stands at character 10/],
  ["value < 2 and", /Expected a column, but the filter ends/],
  ["cluster in 3", /Expected an opening parenthesis after in, but “3”/],
  ["cluster in (3 5)", /Expected a comma or a closing parenthesis, but “5”/],
  ["value < 'a", /quotation mark ' at character 9 is not closed/],
  ["value < 2 & 3", /“&” at character 11 means nothing here/],
  ["1 < 2", /Expected a column at character 5, but it is the number 2/],
  ["value not < 2", /Expected in, but “<”/],
  ["valu < 2", /no column “valu”; did you mean value\?/],
  ["moon < 2", /no column “moon”; there are value, time, /],
  ["value < low", /value holds numbers, and “low” is none/],
  ["action < 2", /action has no order: write action == …/],
  ["action == 99999", /“99999” is no action; there are /],
  [`${"(".repeat(100)}value < 2`, /nested at most/],
];

test("what is wrong with a condition is said in one sentence", async () => {
  const { recording, filtering } = await opened();
  for (const [text, expected] of WRONG) assert.match((await filtering.complaint(recording, text)) ?? "nothing", expected, text);
  assert.equal(await filtering.complaint(recording, "value < 2"), null);
});

test("what passes is what a loop over the points finds", async () => {
  const { recording, columns } = await opened();
  const value = columnNamed(columns, "value");
  const middle = (value.low + value.high) / 2;
  const step = 2 * value.error;
  assert.deepEqual(applied(recording, columns, `value < ${middle} and cluster in (1, 3)`), passing(recording, columns, (of) => of("value") < middle && [1, 3].includes(of("cluster"))));
  assert.deepEqual(applied(recording, columns, `not (value >= ${middle} or time > 50%)`), passing(recording, columns, (of) => of("value") < middle && of("time") < 0.5));
  assert.deepEqual(applied(recording, columns, "length >= 20", "reward != 0"), passing(recording, columns, (of) => of("length") >= 20 && of("reward") !== 0));
  assert.deepEqual(applied(recording, columns, "reward in (10, -1.5)"), passing(recording, columns, (of) => [10, -1.5].includes(of("reward"))));
  assert.deepEqual(applied(recording, columns, "101 <= level <= 102"), passing(recording, columns, (of) => [101, 102].includes(of("level"))));
  assert.deepEqual(applied(recording, columns, "success == yes or success == 'not ended'"), passing(recording, columns, (of) => of("success") !== 0));
  assert.deepEqual(applied(recording, columns, "success != no"), passing(recording, columns, (of) => of("success") !== 0));
  const one = value.number(value.codes()[7]);
  assert.equal(applied(recording, columns, `value == ${one + 0.4 * step}`)[7], 1, "the number as it was before it was rounded");
  assert.equal(applied(recording, columns, `value <= ${value.high}`).every((passes) => passes === 1), true);
  const { name, texts } = columnNamed(columns, "action");
  const [first] = texts ?? [];
  assert.deepEqual(applied(recording, columns, `${name} == ${written(first.text)}`), [...recording.get("action") ?? []].map((code) => Number(code === first.code)));
});

test("filters come and go one bit at a time, and a wrong one stops no other", async () => {
  const { recording, columns } = await opened();
  const mask = new FilterMask(recording.count);
  const shown = (...filters: string[]): number[] => (mask.apply(filters, columns), [...mask.visible().mask]);
  const [a, b] = [applied(recording, columns, "time < 50%"), applied(recording, columns, "cluster == 1")];
  assert.deepEqual(shown("time < 50%", "cluster == 1"), a.map((one, index) => one & b[index]));
  assert.deepEqual(shown("cluster == 1"), b);
  assert.deepEqual([...mask.apply(["cluster == 1", "moon == 1"], columns).keys()], ["moon == 1"]);
  assert.deepEqual([...mask.visible().mask], b);
  assert.deepEqual(shown("time < 50%"), a);
  assert.ok(shown().every((one) => one === 1));
  const many = Array.from({ length: 40 }, (_, at) => `step < ${1000 + at}`);
  assert.equal(mask.apply(many, columns).size, 9);
});

test("a histogram follows the filters of other columns, and says what its own choose", async () => {
  const { recording, columns, filtering } = await opened();
  const [value, cluster] = [columnNamed(columns, "value"), columnNamed(columns, "cluster")];
  for (const column of columns) {
    const bins = keptBins(recording, column);
    assert.equal(allCounts(recording, column).reduce((sum, one) => sum + one, 0), recording.count, column.name);
    if (bins.edges) [...column.codes()].forEach((code) => {
      const [number, edges] = [column.number(code), bins.edges as number[]];
      assert.ok(number >= edges[bins.of[code]] - column.error - 1e-9 && number <= edges[bins.of[code] + 1] + column.error + 1e-9, column.name);
    });
  }
  const bins = keptBins(recording, value);
  const filter = rangeFilter(value, bins, 3, 9) as string;
  filtering.set([filter, "cluster == 1"]);
  await filtering.settled();
  const isOne = applied(recording, columns, "cluster == 1");
  const expected = new Uint32Array(bins.count + 1);
  value.codes().forEach((code, index) => isOne[index] && expected[bins.of[code]]++);
  const found = filtering.histogram(recording, value, bins);
  assert.deepEqual(found.counts, expected);
  const kept = bins.of.filter((_, code) => found.chosen?.[code]);
  assert.deepEqual([Math.min(...kept), Math.max(...kept)], [3, 9]);
  const inRange = [...expected].slice(3, 10).reduce((sum, one) => sum + one, 0);
  assert.equal(filtering.of(recording.id)?.count, inRange);
  const episodes = episodesOfPoints(recording);
  const mask = filtering.mask(recording.id) as Uint8Array;
  assert.equal(filtering.of(recording.id)?.numEpisodes, new Set([...episodes].filter((_, index) => mask[index])).size);
  const clusters = filteredClusters(recording, mask);
  assert.deepEqual(clusters.map((one) => one.count), clusters.map((_, code) => (code === 1 ? inRange : 0)));
  assert.ok(filtering.isAbout(recording, value, filter) && !filtering.isAbout(recording, cluster, filter));
  assert.equal(choiceFilter(cluster, keptBins(recording, cluster), [1, 3]), "cluster in (1, 3)");
});

test("a selection is compared within the filter", async () => {
  const stored = GOLDEN.recordings[0];
  const { recording, draws } = await open(stored);
  const filtering = new Filtering([recording]);
  filtering.set(["time < 50%"]);
  await filtering.settled();
  const mask = filtering.mask(recording.id) as Uint8Array;
  const { numbers, rows } = await compareInside(recording, { clusters: [1] }, [], draws, mask);
  const cluster = recording.get("cluster") ?? [];
  assert.deepEqual(rows[0], [...mask.keys()].filter((index) => mask[index] && cluster[index] === 1));
  assert.equal(numbers.of, mask.reduce((sum, one) => sum + one, 0));
  assert.equal(numbers.dwell.inside, null);
  assert.match(numbers.note ?? "", /Only the states that pass the filter are compared/);
});

test("filters are in the address, whatever they contain", () => {
  const filters = ["value < 2 and cluster in (3, 5)", 'action == "a & b=c#d%"', "time < 50%"];
  const hash = writeHash({ view: { ...FIRST_VIEW, filters }, episode: null, step: null, zoom: {}, lasso: null });
  assert.deepEqual(readHash(hash).view.filters, filters);
  assert.deepEqual(readHash("#v=1").view.filters, []);
});
