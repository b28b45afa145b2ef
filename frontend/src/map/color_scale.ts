// How numbers become places on a scale of colours: between limits that one can set, by themselves or by their logarithm.
import { HIGHEST } from "../data/contract";
import { quantile } from "../data/effect_sizes";
import { episodesOfPoints } from "../data/filter_columns";
import type { Recording, Values } from "../data/recording";
import type { ColorName, ScaleChoice } from "../data/view";
import { percent, short } from "../ui/format";

/** Places on the scale are 0 to TOP; a number that is not known has the place after it. */
export const TOP = 254;
export const UNKNOWN_PLACE = 255;
/** Without a limit of one's own, a scale by the logarithm covers so many times its least number at most. */
const LOG_SPAN = 1e4;

/** Numbers of points by which a map can be coloured. */
export interface Numbers {
  codes: Values;
  numCodes: number;
  /** The number that a code stands for; NaN: it is not known. */
  number(code: number): number;
  isShare: boolean;
  /** Limits of the scale unless one sets others. */
  usual: readonly [low: number, high: number];
  /** Whether codes are the numbers up to a factor, so that they can be coloured as they are. */
  isLinear: boolean;
}

/** What a scale says of itself. */
export interface ScaleRange {
  low: number;
  high: number;
  log: boolean;
  canLog: boolean;
  isShare: boolean;
  /** Whether it is another one than usual. */
  isSet: boolean;
}

const OF_EPISODES = { return: "episode return", length: "episode length", level: "level", episode: "episode" } as const;
type OfEpisodes = keyof typeof OF_EPISODES;

/** Colourings by what a point's episode has. */
export function episodeColors(recordings: readonly Recording[]): ColorName[] {
  return (Object.keys(OF_EPISODES) as OfEpisodes[]).filter((name) => name !== "level" || recordings.some(({ meta }) => meta.level_word !== null));
}

export function isOfEpisode(color: ColorName): color is OfEpisodes {
  return color in OF_EPISODES;
}

export function episodeColorTitle(color: OfEpisodes): string {
  return OF_EPISODES[color];
}

/** The numbers of a column, or of the points' episodes; null while they are not there. */
export function numbersOf(recording: Recording, color: ColorName, source: string): Numbers | null {
  if (isOfEpisode(color) && !recording.column(source)) return numbersOfEpisodes(recording, color);
  const codes = recording.get(source);
  const column = recording.column(source);
  if (!codes || !column) return null;
  const top = column.dtype === "uint8" ? 255 : HIGHEST;
  const isRange = column.low != null && column.high != null;
  const isShare = color === "time" || color === "uncertainty";
  const number = (code: number): number => (code === column.unknown ? NaN : recording.decode(source, code));
  const usual = recording.keepNow(`usual scale ${source}`, (): readonly [number, number] => {
    if (color === "time") return [0, 1];
    if (column.dtype === "uint32") return [0, Math.max(highest(codes), 1)];
    if (column.levels) return [column.levels[0] ?? 0, column.levels[column.levels.length - 1] ?? 1];
    const [low, high] = spread(codes, column.unknown).map(number);
    return color === "uncertainty" ? [0, Math.max(high, 1 / 255)] : [low, high];
  });
  const numCodes = column.levels ? column.levels.length : column.dtype === "uint32" ? highest(codes) + 1 : isRange ? top + 1 : HIGHEST + 1;
  return { codes, numCodes, number, isShare, usual, isLinear: !column.levels && column.unknown === undefined };
}

function highest(values: Values): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

function numbersOfEpisodes(recording: Recording, color: OfEpisodes): Numbers | null {
  const { episodes } = recording;
  if (!episodes || (recording.count < recording.meta.num_states && !recording.get("row"))) return null;
  const of: Record<OfEpisodes, readonly number[] | null> = { return: episodes.episode_return, length: episodes.length, level: episodes.level_seed, episode: null };
  const numbers = of[color];
  const count = episodes.length.length;
  const number = (episode: number): number => numbers?.[episode] ?? episode;
  const usual = recording.keepNow(`usual scale of episodes ${color}`, (): readonly [number, number] => {
    const [low, high] = numbers ? numbers.reduce(([least, most], one): [number, number] => [Math.min(least, one), Math.max(most, one)], [Infinity, -Infinity]) : [0, count - 1];
    return low < high ? [low, high] : [low, low + 1];
  });
  return { codes: episodesOfPoints(recording), numCodes: count, number, isShare: false, usual, isLinear: false };
}

/** The limits that apply, and what can be said of them. */
export function rangeOf({ usual, isShare }: Numbers, choice: ScaleChoice | undefined): ScaleRange {
  const high = choice?.high ?? usual[1];
  const log = Boolean(choice?.log) && high > 0;
  let low = choice?.low ?? usual[0];
  if (log && low <= 0) low = high / LOG_SPAN;
  return { low, high: high > low ? high : low + Math.max(Math.abs(low) * 1e-6, 1e-9), log, canLog: usual[1] > 0, isShare, isSet: choice !== undefined };
}

/** Of each point, its place on the scale. */
export function placesOn({ codes, numCodes, number }: Numbers, { low, high, log }: ScaleRange): Uint8Array {
  const of = (value: number): number => (log ? Math.log(Math.max(value, low)) : value);
  const [start, width] = [of(low), of(high) - of(low)];
  const table = new Uint8Array(numCodes);
  for (let code = 0; code < numCodes; code++) {
    const value = number(code);
    table[code] = Number.isNaN(value) ? UNKNOWN_PLACE : Math.min(Math.max(Math.round((TOP * (of(value) - start)) / width), 0), TOP);
  }
  const places = new Uint8Array(codes.length);
  for (let index = 0; index < places.length; index++) places[index] = table[codes[index]];
  return places;
}

/** The 1st and 99th percentile, as in the figures, so that a few outliers do not take all colours. */
export function spread(values: Values, without?: number): [number, number] {
  const counts = new Uint32Array(HIGHEST + 1);
  for (const value of values) counts[value]++;
  let total = values.length;
  if (without !== undefined) [total, counts[without]] = [total - counts[without], 0];
  const at = (rank: number): number => {
    let below = 0;
    return Math.max(counts.findIndex((count) => (below += count) > rank), 0);
  };
  const [low, high] = [0.01, 0.99].map((share) => quantile(total, at, share));
  return [low, high > low ? high : low + 1];
}

/** A limit as it is written at the end of a scale. */
export function limitText(color: ColorName, value: number, isShare: boolean): string {
  if (color === "time" && (value === 0 || value === 1)) return value ? "end" : "start";
  return isShare ? percent(value, 0) : short(value);
}

/** A limit as somebody writes it; null if it is no number. */
export function readLimit(text: string, isShare: boolean): number | null {
  const said = text.trim().replace("−", "-");
  if (said === "start") return 0;
  if (said === "end") return 1;
  const number = Number(said.replace(/%$/, "").trim());
  if (!said || !Number.isFinite(number)) return null;
  return said.endsWith("%") || (isShare && Math.abs(number) > 1) ? number / 100 : number;
}
