// In which order the episodes of a recording are listed, and which of them are left by the filters.
import type { Episodes } from "./contract";
import { lastNotAbove, type Recording } from "./recording";

export const ORDERS = ["played", "return", "length", "level", "success"] as const;
export type OrderName = (typeof ORDERS)[number];

/** By what episodes are sorted, and whether the highest come first. */
export interface Order {
  by: OrderName;
  down: boolean;
}

export const AS_PLAYED: Order = { by: "played", down: false };

/** Whether one wants to see the highest first: the best and the longest episodes, but failures before successes. */
export function firstDirection(by: OrderName): boolean {
  return by === "return" || by === "length";
}

/** The number by which an episode is sorted; null if it is not known. */
export function orderNumber(episodes: Episodes, by: OrderName, episode: number): number | null {
  switch (by) {
    case "played": return episode;
    case "return": return episodes.episode_return[episode];
    case "length": return episodes.length[episode];
    case "level": return episodes.level_seed?.[episode] ?? null;
    case "success": {
      const success = episodes.success[episode];
      return success === null ? null : Number(success);
    }
  }
}

/** Sort the episodes marked 1 in `left` (null: all); of equal ones, the one that was played first comes first, and those whose number is not known come last. */
export function sortedEpisodes(episodes: Episodes, { by, down }: Order, left: Uint8Array | null): Uint32Array {
  const count = episodes.first_row.length;
  const keys = new Float64Array(count);
  const sign = down ? -1 : 1;
  for (let episode = 0; episode < count; episode++) {
    const number = orderNumber(episodes, by, episode);
    keys[episode] = number === null || Number.isNaN(number) ? Infinity : sign * number;
  }
  const found = Uint32Array.from({ length: count }, (_, episode) => episode).filter((episode) => !left || left[episode] === 1);
  return by === "played" && !down ? found : found.sort((one, other) => (keys[one] < keys[other] ? -1 : keys[one] > keys[other] ? 1 : one - other));
}

/** The points of an episode: the first, and the one after the last. Where the map shows a sample, they are some of its states. */
export function pointsOfEpisode(recording: Recording, episode: number): [number, number] {
  const { first_row, num_rows } = recording.episodes as Episodes;
  const [first, end] = [first_row[episode], first_row[episode] + num_rows[episode]];
  if (recording.count === recording.meta.num_states) return [first, end];
  const rows = recording.get("row");
  return rows ? [lastNotAbove(rows, first - 1) + 1, lastNotAbove(rows, end - 1) + 1] : [0, 0];
}

/** 1 for each episode with a state that passes. */
export function episodesLeft(recording: Recording, mask: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: recording.meta.num_episodes }, (_, episode) => {
    const [first, end] = pointsOfEpisode(recording, episode);
    for (let index = first; index < end; index++) if (mask[index]) return 1;
    return 0;
  });
}
