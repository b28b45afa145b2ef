// Digits name clusters, also those of two digits.
import assert from "node:assert/strict";
import test from "node:test";
import { TypedNumber } from "../src/ui/typed_number";

test("a digit shows a cluster alone, again all; with Shift beside others", () => {
  const typed = new TypedNumber();
  assert.deepEqual(typed.press("0", 0, 8, [], false), [0]);
  assert.deepEqual(typed.press("0", 100, 8, [0], false), []);
  assert.deepEqual(typed.press("3", 200, 8, [], false), [3]);
  assert.deepEqual(typed.press("5", 300, 8, [3], true), [3, 5]);
  assert.equal(typed.press("8", 400, 8, [3, 5], false), null, "there is no cluster 8");
});

test("digits that follow each other are one number where there are more than ten clusters", () => {
  const typed = new TypedNumber();
  assert.deepEqual(typed.press("1", 0, 64, [7], false), [1]);
  assert.deepEqual(typed.press("2", 500, 64, [1], false), [12]);
  assert.deepEqual(typed.press("2", 2000, 64, [12], false), [2], "too late: another number");
  assert.deepEqual(typed.press("9", 2500, 64, [2], false), [29]);
  assert.deepEqual(typed.press("4", 2600, 64, [29], false), [4], "there is no cluster 294");
  assert.deepEqual(typed.press("6", 5000, 64, [12], true), [6, 12]);
  assert.deepEqual(typed.press("3", 5100, 64, [6, 12], true), [12, 63], "the cluster of the first digit was not meant");
  assert.deepEqual(typed.press("0", 9000, 64, [], false), [0]);
  assert.deepEqual(typed.press("5", 9100, 64, [0], false), [5], "no number begins with 0");
});
