// Takes pictures of every page in every state: node pictures.js [STATE…]
// They are written to pictures/STATE-WIDTH-THEME.png.

import { mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "./support/chromium.js";
import { look } from "./support/look.js";
import { People } from "./support/people.js";
import { Server } from "./support/server.js";
import { showAll } from "./support/states.js";

const FOLDER = fileURLToPath(new URL("pictures/", import.meta.url));
const wanted = process.argv.slice(2);
const browser = await launchBrowser();
const opened = [];

async function open(options) {
  const server = await Server.start(options);
  const people = new People(browser, server);
  opened.push({ server, people });
  return { server, people };
}

async function picture(name, { page }) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  await page.mouse.move(0, 0);
  for (const width of [1280, 360]) {
    for (const colorScheme of ["light", "dark"]) {
      await look(page, { width, colorScheme });
      await page.screenshot({ path: `${FOLDER}${name}-${width}-${colorScheme}.png`, caret: "initial" });
    }
  }
  await look(page);
  console.log(name);
}

try {
  if (wanted.length === 0) await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  await showAll(open, picture);
} finally {
  await browser.close();
  await Promise.allSettled(opened.map(({ server }) => server.end()));
}
