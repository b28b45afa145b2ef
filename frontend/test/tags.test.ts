// Tags: which points have which, what filters make of them, and ranges as sets of rows.
import assert from "node:assert/strict";
import test from "node:test";
import type { Meta, Tag } from "../src/data/contract";
import { passingCodes } from "../src/data/filter_columns";
import { parseFilter } from "../src/data/filter_expression";
import { FilterMask } from "../src/data/filter_mask";
import { Recording } from "../src/data/recording";
import type { Source } from "../src/data/source";
import { common, numRows, type Range, rangesOf, type Tags, without } from "../src/data/tag_ranges";
import { codesOfTags, TAG, tagColumns, tagsOf } from "../src/data/tags";

function tagsWith(states: Record<string, Range[]>): Tags {
  return new Map(Object.entries(states).map(([tag, ranges]): [string, Tag] => [tag, { states: ranges as [number, number][], version: 1 }]));
}

function recordingOf(count: number, rows: Uint32Array | null = null): Recording {
  const meta = { id: "a", num_shown: rows ? rows.length : count, num_states: count, colors: [], columns: [{ name: "row", dtype: "uint32", width: 1 }] } as unknown as Meta;
  const recording = new Recording(meta, {} as Source);
  if (rows) recording.put({ name: "row", dtype: "uint32", width: 1 }, rows, true);
  return recording;
}

function tagged(recording: Recording, tags: Tags): Recording {
  const { codes, combinations } = codesOfTags(recording, tags);
  recording.hold("tags", combinations);
  recording.put({ name: TAG, dtype: "uint8", width: 1 }, codes, true);
  return recording;
}

const TAGS = tagsWith({ edge: [[1, 3], [7, 7]], "é 🎈": [[3, 4]], __proto__x: [[9, 20]] });

test("every point has the tags whose ranges hold its row", () => {
  const recording = tagged(recordingOf(10), TAGS);
  const expected = [[], ["edge"], ["edge"], ["edge", "é 🎈"], ["é 🎈"], [], [], ["edge"], [], ["__proto__x"]];
  assert.deepEqual(Array.from({ length: 10 }, (_, point) => [...tagsOf(recording, point)].sort()), expected.map((tags) => tags.sort()));
  assert.deepEqual(tagsOf(recording, -1), []);
  const sample = tagged(recordingOf(10, Uint32Array.of(0, 3, 4, 8, 9)), TAGS);
  assert.deepEqual(Array.from({ length: 5 }, (_, point) => tagsOf(sample, point).length), [0, 2, 1, 0, 1]);
});

function complaint(recording: Recording, filter: string): string {
  return new FilterMask(recording.count).apply([filter], tagColumns(recording)).get(filter) ?? "nothing";
}

function passing(recording: Recording, filter: string): number[] {
  const mask = new FilterMask(recording.count);
  assert.deepEqual([...mask.apply([filter], tagColumns(recording))], []);
  return [...mask.visible().mask].flatMap((passes, point) => (passes ? [point] : []));
}

test("filters ask for a tag among those that a state has", () => {
  const recording = tagged(recordingOf(10), TAGS);
  assert.deepEqual(passing(recording, "tag == edge"), [1, 2, 3, 7]);
  assert.deepEqual(passing(recording, "tag != edge"), [0, 4, 5, 6, 8, 9]);
  assert.deepEqual(passing(recording, 'tag == "E\u0301 🎈"'), [3, 4], "in another form of the same text");
  assert.deepEqual(passing(recording, 'tag in (edge, "é 🎈")'), [1, 2, 3, 4, 7]);
  assert.deepEqual(passing(recording, 'tag == edge and tag == "é 🎈"'), [3]);
  assert.deepEqual(passing(recording, "tag not in (edge, __proto__x)"), [0, 4, 5, 6, 8]);
  assert.deepEqual(passing(recording, "tagged == no"), [0, 5, 6, 8]);
  assert.deepEqual(passing(recording, "not tagged == no"), [1, 2, 3, 4, 7, 9]);
  assert.match(complaint(recording, "tag == wall"), /No state has the tag “wall”; there are /);
  assert.match(complaint(recording, "tagged == maybe"), /yes or no/);
  assert.match(complaint(recording, "tag < edge"), /has no order/);
  assert.match(complaint(recordingOf(3), "tag == x"), /there are no tags yet/);
  const [tag] = tagColumns(recording);
  const tree = parseFilter("tag == edge");
  assert.ok(tree.kind === "is" && passingCodes(tag, tree).length === tag.numCodes());
});

test("more combinations than a byte counts are told apart", () => {
  const many = tagsWith(Object.fromEntries(Array.from({ length: 300 }, (_, at): [string, Range[]] => [`t${at}`, [[at, at]]])));
  const recording = tagged(recordingOf(400), many);
  assert.deepEqual([tagsOf(recording, 0), tagsOf(recording, 299), tagsOf(recording, 300)], [["t0"], ["t299"], []]);
  assert.deepEqual(passing(recording, "tag == t257"), [257]);
});

test("ranges are sets of rows", () => {
  let seed = 3;
  const random = (): Set<number> => new Set(Array.from({ length: 20 }, () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % 40));
  const ranges = (rows: Set<number>): Range[] => rangesOf([...rows].sort((one, other) => one - other));
  const rows = (some: readonly Range[]): number[] => some.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
  for (let turn = 0; turn < 200; turn++) {
    const [one, other] = [random(), random()];
    const sorted = [...one].sort((a, b) => a - b);
    assert.deepEqual(rows(common(ranges(one), ranges(other))), sorted.filter((row) => other.has(row)));
    assert.deepEqual(rows(without(ranges(one), ranges(other))), sorted.filter((row) => !other.has(row)));
    assert.equal(numRows(ranges(one)), one.size);
  }
});
