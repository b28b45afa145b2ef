// Bundles the page into the Python package. The same sources and lock file give the same bytes.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "semantic_rl", "explorer", "static");
mkdirSync(out, { recursive: true });

const options = {
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "info",
};

for (const name of readdirSync(join(here, "public"))) copyFileSync(join(here, "public", name), join(out, name));
const preact = JSON.parse(readFileSync(join(here, "node_modules", "preact", "package.json"), "utf8"));
const licence = readFileSync(join(here, "node_modules", "preact", "LICENSE"), "utf8");
writeFileSync(join(out, "licenses.txt"), `app.js contains Preact ${preact.version}, used under this licence:\n\n${licence}`);

if (process.argv.includes("--watch")) await (await esbuild.context(options)).watch();
else await esbuild.build(options);
