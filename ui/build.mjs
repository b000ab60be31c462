// Bundles the pages' scripts, styles and picture: node build.mjs OUT_FOLDER

import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const out = process.argv[2];
if (!out) {
  console.error("usage: node build.mjs OUT_FOLDER");
  process.exit(2);
}
const source = join(dirname(fileURLToPath(import.meta.url)), "src");

await mkdir(out, { recursive: true });
await build({
  entryPoints: ["board.tsx", "audit.tsx", "people.tsx", "theme.ts", "style.css"].map((name) => join(source, name)),
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
await copyFile(join(source, "favicon.svg"), join(out, "favicon.svg"));
