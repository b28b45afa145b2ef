// No module of the page imports, in whatever way round, one that imports it: types are counted too.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";

const SOURCES = join(process.cwd(), "src");

function importsOf(path: string): string[] {
  const text = readFileSync(join(SOURCES, path), "utf8");
  const named = [...text.matchAll(/(?:from|import) "(\.[^"]+)"/g)].map((found) => join(dirname(path), found[1]));
  return named.flatMap((name) => [`${name}.ts`, `${name}.tsx`].filter((file) => modules.includes(file)));
}

const modules = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));
const imports = new Map(modules.map((path) => [path, importsOf(path)]));

/** The first circle that imports from a module run into; null if they end. */
function circleFrom(path: string, way: readonly string[], ended: Set<string>): string[] | null {
  if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
  if (ended.has(path)) return null;
  for (const next of imports.get(path) ?? []) {
    const circle = circleFrom(next, [...way, path], ended);
    if (circle) return circle;
  }
  ended.add(path);
  return null;
}

test("imports do not run in a circle", () => {
  assert.ok(modules.length > 30 && imports.get("main.tsx")?.includes("app.ts"), "the modules are found");
  const ended = new Set<string>();
  for (const path of modules) assert.equal(circleFrom(path, [], ended)?.join(" → "), undefined);
});
