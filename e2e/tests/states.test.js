/** Every page in every state: accessible by WCAG 2.2 A and AA, light and dark, wide and narrow. */

import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { look } from "../support/look.js";
import { showAll } from "../support/states.js";
import { open } from "../support/world.js";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];

test("every state of every page", async (t) => {
  await showAll(
    (options) => open(t, options),
    (name, person) => t.test(name, () => isSound(person.page)),
  );
});

async function isSound(page) {
  await page.evaluate(axe.source);
  // What is scrolled half under a heading that sticks is no target just now.
  await page.evaluate(() => scrollTo(0, 0));
  for (const width of [1280, 360]) {
    for (const colorScheme of ["light", "dark"]) {
      await look(page, { width, colorScheme });
      assert.deepEqual(await violations(page), [], `${width} px wide, ${colorScheme}`);
    }
  }
  for (const width of [360, 320]) {
    await look(page, { width });
    assert.deepEqual(await sideways(page), [], `something reaches beyond a window of ${width} px`);
  }
  await look(page);
}

async function violations(page) {
  const { violations: found } = await page.evaluate(
    (values) => globalThis.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] }),
    RULES,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

/** What makes the page, or a dialog in it, scroll sideways. */
function sideways(page) {
  return page.evaluate(() => {
    const frames = [document.scrollingElement, ...document.querySelectorAll("dialog[open], main, header, footer")];
    const wide = frames.filter((frame) => frame.scrollWidth > frame.clientWidth + 1);
    return wide.map((frame) => `${frame.localName} is ${frame.scrollWidth} px wide`);
  });
}
