/** Debian's Chromium, as tests and pictures use it. */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser"];

/** It has nobody to ask outside, and nothing to keep. */
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser, with flags of its own, for whoever closes it. */
export function launchBrowser(flags = []) {
  return chromium.launch({ executablePath: pathOf(NAMES), args: [...FLAGS, ...flags] });
}

function pathOf(names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = paths.find(isProgram);
  if (!found) throw new Error("there is no chromium in PATH; install it: apt-get install chromium");
  return found;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
