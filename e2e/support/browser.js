/** One browser for each file of tests. */

import { after } from "node:test";
import { launchBrowser } from "./chromium.js";

let launched;

/** Started when first asked for, closed after the last test. */
export function browser() {
  launched ??= launchBrowser();
  return launched;
}

after(async () => {
  await (await launched)?.close();
});
