// The golden cases: recordings as a file holds them, and what the Python definition says of them (golden.py).
import { readFileSync } from "node:fs";
import type { Episodes, InsideNumbers, InsideQuery, Limits, Meta, Point } from "../src/data/contract";
import { type Draws, readDraws } from "../src/data/effect_sizes";
import { Recording } from "../src/data/recording";
import type { Source } from "../src/data/source";

interface Stored {
  name: string;
  meta: Meta;
  episodes: Episodes;
  blocks: Record<string, string>;
  cases: { query: InsideQuery; answer: InsideNumbers }[];
  scales: Record<string, [number, number]>;
}

interface Golden {
  recordings: Stored[];
  cells: { codebook: Point[]; limits: Limits; cells: Point[][] }[];
}

export const GOLDEN = JSON.parse(readFileSync("test/golden.json", "utf8")) as Golden;

async function unpacked(block: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(block), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** A stored recording as the page opens it, and the draws of its episodes. */
export async function open(stored: Stored): Promise<{ recording: Recording; draws: Draws }> {
  const source = {
    column: (_: string, name: string) => unpacked(stored.blocks[name]),
    episodes: () => Promise.resolve(stored.episodes),
  };
  return { recording: new Recording(stored.meta, source as unknown as Source), draws: readDraws(await unpacked(stored.blocks.draws)) };
}

/** Where two values differ by more than rounding: a sentence; null if they do not. */
export function differs(actual: unknown, expected: unknown, tolerance = 1e-9, place = ""): string | null {
  if (typeof actual === "number" && typeof expected === "number") {
    return Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)) ? null : `${place}: ${actual}, expected ${expected}`;
  }
  if (actual === null || expected === null || typeof actual !== "object" || typeof expected !== "object") {
    return Object.is(actual, expected) ? null : `${place}: ${String(actual)}, expected ${String(expected)}`;
  }
  const [ours, theirs] = [actual, expected] as Record<string, unknown>[];
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const found = differs(ours[name], theirs[name], tolerance, `${place}.${name}`);
    if (found) return found;
  }
  return null;
}
