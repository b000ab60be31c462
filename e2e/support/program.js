/** The program itself: where it is, and what runs of it. All that was started ends with this process. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../target/debug/vpn-sessions", import.meta.url));
const PROGRAM = process.env.VPN_SESSIONS_BIN ?? BUILT;

const running = new Set();

process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** Starts the program; its output is gathered in `child.said`. */
export function launch(args, { environment, input = "" }) {
  if (!existsSync(PROGRAM)) throw new Error(`there is no ${PROGRAM}; build it, or name it in VPN_SESSIONS_BIN`);
  const child = spawn(PROGRAM, args, { env: environment, stdio: "pipe" });
  child.said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (child.said += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  running.add(child);
  child.ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return child;
}

/** Runs a command to its end; fails with what it said. */
export async function run(args, how) {
  const child = launch(args, how);
  const code = await child.ended;
  if (code !== 0) throw new Error(`vpn-sessions ${args.join(" ")} ended with ${code}: ${child.said}`);
  return child.said;
}
