// Tags of states: which points have which, and the columns that they are in filters, colours and on contact sheets.
//
// A state may have several tags. Every combination of tags that occurs is a code; the states without any have code 0.
import type { FilterColumn } from "./filter_column";
import { FilterError } from "./filter_expression";
import type { Recording } from "./recording";
import type { Tags } from "./tag_ranges";

export const TAG = "tag";

/** The tags that points of each code have, in alphabetical order; none for code 0. */
export type Combinations = readonly (readonly string[])[];

/** The code of each point, and what codes stand for. */
export function codesOfTags(recording: Recording, tags: Tags): { codes: Uint8Array | Uint16Array; combinations: Combinations } {
  const combinations: string[][] = [[]];
  const codes = new Uint16Array(recording.count);
  const more = new Map<string, number>();
  for (const [name, { states }] of [...tags].sort(([one], [other]) => one.localeCompare(other))) {
    const next = new Map<number, number>(); // of each code, the one with this tag as well
    for (const [first, last] of states) {
      for (let point = recording.firstFrom(first), end = recording.firstFrom(last + 1); point < end; point++) {
        let code = next.get(codes[point]);
        if (code === undefined) {
          const both = [...combinations[codes[point]], name];
          code = more.get(both.join("\n")) ?? combinations.push(both) - 1;
          more.set(both.join("\n"), code);
          next.set(codes[point], code);
        }
        codes[point] = code;
      }
    }
  }
  return { codes: combinations.length <= 256 ? new Uint8Array(codes) : codes, combinations };
}

function combinationsOf(recording: Recording): Combinations {
  return recording.now<Combinations>("tags") ?? [[]];
}

/** The tags of a point. */
export function tagsOf(recording: Recording, point: number): readonly string[] {
  const code = point < 0 ? undefined : recording.get(TAG)?.[point];
  return code === undefined ? [] : (combinationsOf(recording)[code] ?? []);
}

/** The columns "tag" and "tagged": what they hold changes as states are tagged. */
export function tagColumns(recording: Recording): FilterColumn[] {
  const shared = {
    source: TAG, few: null, isWhole: true, isShare: false, low: 0, high: 0, error: 0, numUnknown: 0,
    codes: () => recording.get(TAG) ?? new Uint8Array(recording.count), numCodes: () => combinationsOf(recording).length, number: (code: number) => code,
  };
  const codesWhere = (accepts: (tags: readonly string[]) => boolean): number[] => combinationsOf(recording).flatMap((tags, code) => (accepts(tags) ? [code] : []));
  const tag: FilterColumn = {
    ...shared, name: TAG,
    get texts() {
      const all = combinationsOf(recording).map((tags, code) => ({ code, text: tags.join(", ") || "none", also: [] }));
      return [...all.slice(1).sort((one, other) => one.text.localeCompare(other.text)), all[0]];
    },
    codesOf(word) {
      const known = [...new Set(combinationsOf(recording).flat())];
      const found = known.find((one) => one === word.normalize()) ?? known.find((one) => one.toLowerCase() === word.normalize().toLowerCase());
      if (found === undefined) throw new FilterError(`No state has the tag “${word}”; ${known.length ? `there are ${known.slice(0, 12).join(", ")}${known.length > 12 ? " and others" : ""}.` : "there are no tags yet."}`);
      return codesWhere((tags) => tags.includes(found));
    },
  };
  const tagged: FilterColumn = {
    ...shared, name: "tagged",
    get texts() {
      const all = combinationsOf(recording).map((tags, code) => ({ code, text: tags.length ? "yes" : "no", also: [] }));
      return [...all.slice(1), all[0]];
    },
    codesOf(word) {
      const wanted = ["yes", "true", "1"].includes(word.toLowerCase()) ? true : ["no", "false", "0"].includes(word.toLowerCase()) ? false : null;
      if (wanted === null) throw new FilterError(`tagged is yes or no, and “${word}” is neither.`);
      return codesWhere((tags) => tags.length > 0 === wanted);
    },
  };
  return [tag, tagged];
}
