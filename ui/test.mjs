// Runs tests/*.test.ts with node's own runner, transpiled into a folder that is thrown away.

import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const tests = join(dirname(fileURLToPath(import.meta.url)), "tests");
const names = (await readdir(tests)).filter((name) => name.endsWith(".test.ts"));
const folder = await mkdtemp(join(tmpdir(), "vpn-sessions-ui-"));

try {
  await build({
    entryPoints: names.map((name) => join(tests, name)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    sourcemap: "inline",
    logLevel: "warning",
  });
  const files = names.map((name) => join(folder, name.replace(/\.ts$/, ".mjs")));
  // Dates are formatted in the machine's zone; the tests expect this one.
  const environment = { ...process.env, TZ: "Europe/Berlin" };
  const run = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit", env: environment });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
