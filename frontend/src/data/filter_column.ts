// What a filter, a histogram and a contact sheet know of a column.
import type { Values } from "./recording";

export interface FilterColumn {
  /** As it is written in a filter. */
  name: string;
  /** The recording's column that must be loaded; null if the list of episodes is enough. */
  source: string | null;
  numCodes(): number;
  codes(): Values;
  /** The number that a code stands for. */
  number(code: number): number;
  /** The texts that codes stand for, in the order in which they are shown, with other words for them; null if codes stand for numbers. */
  texts: { code: number; text: string; also: string[] }[] | null;
  /** Few numbers, each of which has a bar of its own; null where there are many. */
  few: number[] | null;
  /** The codes that a word stands for, where one word may stand for several; throws FilterError. */
  codesOf?: (word: string) => number[];
  isWhole: boolean;
  /** Shown as percentages. */
  isShare: boolean;
  low: number;
  high: number;
  /** Numbers are stored with this error at most. */
  error: number;
  /** Points whose number is not known: they have the lowest. */
  numUnknown: number;
}
