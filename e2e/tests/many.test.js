/** A thousand connections: all in the document, and fluid. The figures are told, and only absurd ones fail. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { launchBrowser } from "../support/chromium.js";
import { Client } from "../support/client.js";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const GROUPS = 40;
const LINES = 25;
const IDS = Array.from({ length: GROUPS * LINES }, (_, at) => `client ${1 + Math.floor(at / LINES)};line ${1 + at}`);
const CONNECTIONS = IDS.join("\n");
const LAST = "client 40 line 1000";
const MIDDLE = "client 20 line 480";

/** Beyond this, in ms, something is broken and not only slow. */
const ABSURD_MS = 5000;

test("all thousand rows are in the document, for find-in-page and screen readers", async (t) => {
  const reader = await launchBrowser(["--force-renderer-accessibility"]);
  t.after(() => reader.close());
  const { people } = await open(t, { connections: CONNECTIONS }, reader);
  const alice = await people.signIn("alice");
  await eventually(async () => assert.equal(await alice.page.getByRole("checkbox").count(), 1000));
  assert.equal(await boxesForScreenReaders(alice.page), 1000);
  const skipped = await alice.page.evaluate(() => {
    const rows = [...document.querySelectorAll("li:has(> label > input[type=checkbox])")];
    return rows.filter((row) => getComputedStyle(row).contentVisibility === "auto").length;
  });
  assert.equal(skipped, 1000, "rows out of sight cost no layout");
  assert.equal(await alice.page.evaluate(() => globalThis.find("line 1000")), true, "find-in-page finds rows out of sight");
});

test("searching and checking stay fluid", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const alice = await people.signIn("alice");
  await measure(alice.page);
  await alice.search.pressSequentially("client 40 1000");
  await alice.seesExactly(LAST);
  await alice.checks(LAST);
  await alice.search.fill("");
  await eventually(async () => assert.equal(await alice.page.getByRole("checkbox").count(), 1000));
  await alice.box(MIDDLE).click();
  await alice.isOn(MIDDLE);
  for (let press = 0; press < 30; press += 1) await alice.presses("j");
  const figures = await measured(alice.page);
  t.diagnostic(`1,000 rows, slowest from input to the next frame: ${told(figures)}`);
  assert.ok(Math.max(...Object.values(figures)) < ABSURD_MS);
});

test("the page stays fluid while others change a hundred lines", async (t) => {
  const { server, people } = await open(t, { connections: CONNECTIONS, passwords: ["bob"] });
  const alice = await people.signIn("alice");
  const bob = await Client.connect(t, server, "bob");
  await watchFrames(alice.page);
  const start = performance.now();
  const answers = await Promise.all(IDS.filter((_, at) => at % 10 === 0).map((id) => bob.check(id)));
  assert.ok(answers.every(({ ok }) => ok));
  await eventually(async () => {
    const filters = await textOf(alice.page.getByRole("group", { name: "Show" }));
    assert.match(filters, /In use 100/);
  });
  const { frames, longest } = await alice.page.evaluate(() => globalThis.painted);
  const took = performance.now() - start;
  t.diagnostic(`100 checks of others in ${Math.round(took)} ms: ${frames} frames, the longest ${Math.round(longest)} ms`);
  assert.ok(longest < ABSURD_MS);
});

test("opening the board of a thousand", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const alice = await people.signIn("alice");
  await alice.page.reload();
  await alice.isLive();
  const figures = await alice.page.evaluate(() => {
    const [page] = performance.getEntriesByType("navigation");
    return { answered: page.responseEnd, interactive: page.domInteractive, live: performance.now() };
  });
  t.diagnostic(`ms since the start: ${told(figures)}`);
  assert.ok(figures.live < ABSURD_MS);
});

/** Rows as assistive technology gets them from the browser. */
async function boxesForScreenReaders(page) {
  const devtools = await page.context().newCDPSession(page);
  const { nodes } = await devtools.send("Accessibility.getFullAXTree");
  return nodes.filter(({ role, ignored }) => !ignored && role?.value === "checkbox").length;
}

/** Gathers how long input takes to show, by kind (Event Timing). */
function measure(page) {
  return page.evaluate(() => {
    globalThis.slowest = {};
    new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries()) {
        globalThis.slowest[name] = Math.max(globalThis.slowest[name] ?? 0, duration);
      }
    }).observe({ type: "event", durationThreshold: 16, buffered: true });
  });
}

async function measured(page) {
  const slowest = await page.evaluate(async () => {
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
    return globalThis.slowest;
  });
  const kinds = ["keydown", "input", "click"].filter((kind) => kind in slowest);
  return Object.fromEntries(kinds.map((kind) => [kind, slowest[kind]]));
}

function watchFrames(page) {
  return page.evaluate(() => {
    globalThis.painted = { frames: 0, longest: 0 };
    let before = performance.now();
    const next = (now) => {
      globalThis.painted.frames += 1;
      globalThis.painted.longest = Math.max(globalThis.painted.longest, now - before);
      before = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
}

function told(figures) {
  return Object.entries(figures).map(([what, ms]) => `${what} ${Math.round(ms)} ms`).join(", ");
}
