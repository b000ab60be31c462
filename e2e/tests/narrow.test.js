/** On a phone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";
const PHONE = { size: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

test("all of the board's work can be done by finger", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice", PHONE), await people.signIn("bob", PHONE)];
  await alice.box(LINE).tap();
  await alice.isOn(LINE);
  await alice.button(`Add note on ${LINE}`).tap();
  await alice.dialog.getByRole("textbox").fill("INC-48213 Certificate renewal");
  await alice.button("Save note").tap();
  await bob.seesInRow(LINE, /alice INC-48213 Certificate renewal/);
  await bob.button(`Take over ${LINE}`).tap();
  await bob.dialog.getByRole("button", { name: "Take over" }).tap();
  await bob.isOn(LINE);
  await alice.isTold(/bob is on vpn main 1 vpn sub 1 now/);
  await bob.button(`Uncheck ${LINE}`).tap();
  await bob.isNotOn(LINE);
  await bob.page.getByRole("group", { name: "Show" }).getByRole("button", { name: /^Mine/ }).tap();
  assert.match(await textOf(bob.page.getByRole("main")), /You are on no connection\./);
});

test("the whole account menu lies over the board, and signs out", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice", PHONE);
  await alice.accountMenu.tap();
  await alice.button("Sign out").waitFor();
  const covered = await alice.page.evaluate(() => {
    const menu = [...document.querySelectorAll("header button")].at(-1).closest("div");
    const { left, right, top, bottom } = menu.getBoundingClientRect();
    const middle = (left + right) / 2;
    const heights = Array.from({ length: Math.floor(bottom - top - 4) }, (_, at) => top + 2 + at);
    return heights.filter((y) => !menu.contains(document.elementFromPoint(middle, y)));
  });
  assert.deepEqual(covered, [], "something of the board lies over the menu");
  await alice.button("Sign out").tap();
  await alice.page.waitForURL(/\/login/);
});

test("what is told at the bottom hides nothing that cannot be scrolled to", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob", PHONE)];
  await alice.checks(LINE);
  await bob.sees(LINE, "alice");
  await bob.tries(LINE);
  await bob.isTold(/is held by alice/);
  await bob.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await eventually(async () => {
    const [row, line] = await Promise.all([
      bob.row("vpn main 3 jump host").boundingBox(),
      bob.page.getByRole("contentinfo").boundingBox(),
    ]);
    assert.ok(row.y + row.height <= line.y, "the last row lies under the line");
  });
});
