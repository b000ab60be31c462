/** What a row and a group say. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";
const ROOMY = "vpn main 3 jump host";

test("every connection is a row with one checkbox, in the file's order, grouped by main name", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  const names = ["vpn main 1 vpn sub 1", "vpn main 1 vpn sub 2", "vpn main 1 vpn sub 3"];
  await alice.seesExactly(...names, "vpn main 2 vpn sub 1", "vpn main 2 vpn sub 2", ROOMY);
  for (const name of names) assert.equal(await alice.row(name).getByRole("checkbox").count(), 1);
  const headings = await alice.page.getByRole("heading", { level: 2 }).getByRole("button").all();
  const said = await Promise.all(headings.map(textOf));
  assert.deepEqual(said, ["vpn main 1 in use 0 of 3", "vpn main 2 in use 0 of 2", "vpn main 3 in use 0 of 1"]);
});

test("a group tells how many are in use, also while it is folded", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.heading("vpn main 1").click();
  await bob.checks(LINE, "vpn main 1 vpn sub 3");
  await eventually(async () => assert.equal(await textOf(alice.heading("vpn main 1")), "vpn main 1 in use 2 of 3"));
});

test("what was folded stays folded, in this browser, and says so", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  const heading = alice.heading("vpn main 1");
  assert.equal(await heading.getAttribute("aria-expanded"), "true");
  await heading.click();
  await alice.box(LINE).waitFor({ state: "hidden" });
  assert.equal(await heading.getAttribute("aria-expanded"), "false");
  await alice.page.reload();
  await alice.isLive();
  await alice.seesExactly("vpn main 2 vpn sub 1", "vpn main 2 vpn sub 2", ROOMY);
  await alice.heading("vpn main 1").click();
  await alice.box(LINE).waitFor();
});

test("all groups fold and unfold at once", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.button("Fold all").click();
  await alice.seesExactly();
  await alice.button("Unfold all").click();
  await eventually(async () => assert.equal((await alice.seesRows()).length, 6));
});

test("what I am on stands once more on top, with its way out", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  assert.equal(await textOf(alice.mine), "You are on no connection");
  await alice.checks(LINE);
  assert.match(await textOf(alice.mine), /You are on vpn main 1 vpn sub 1 since \d\d:\d\d · \d+ s Uncheck/);
  await alice.button(`Uncheck ${LINE}`).click();
  await alice.isNotOn(LINE);
  await alice.seesFree(LINE);
  await alice.isTold(/vpn main 1 vpn sub 1 is unchecked/);
});

test("a row says who and since when, and the time runs", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(LINE);
  await bob.sees(LINE, "alice");
  const before = await secondsIn(bob);
  await eventually(async () => assert.ok((await secondsIn(bob)) > before, "the time stands still"));
});

for (const [how, shiftMs] of [["two days fast", 2 * 86_400_000], ["three hours slow", -3 * 3_600_000]]) {
  test(`times are right also where the browser's clock is ${how}`, async (t) => {
    const { people } = await open(t);
    const alice = await people.comes("alice");
    await alice.page.context().addInitScript(shiftClock, shiftMs);
    await alice.opens("/login");
    await alice.signsIn();
    await alice.isLive();
    assert.ok(Math.abs((await alice.page.evaluate(() => Date.now())) - Date.now() - shiftMs) < 60_000);
    const start = Date.now();
    await alice.checks(LINE);
    const shown = [start, Date.now()].map((at) => berlin.format(at));
    assert.ok((await secondsIn(alice)) < 30);
    const said = await textOf(alice.mine);
    assert.ok(shown.some((time) => said.includes(`since ${time} `)), said);
  });
}

test("a connection for two has room for two, and says so", async (t) => {
  const { people } = await open(t);
  const [alice, bob, carol] = [await people.signIn("alice"), await people.signIn("bob"), await people.signIn("carol")];
  await carol.seesInRow(ROOMY, /Free, room for 2/);
  await alice.checks(ROOMY);
  await carol.sees(ROOMY, "alice");
  await carol.seesInRow(ROOMY, /1 of 2/);
  assert.equal(await carol.box(ROOMY).isChecked(), false, "there is room");
  await bob.checks(ROOMY);
  await carol.sees(ROOMY, "alice", "bob");
  await carol.seesInRow(ROOMY, /2 of 2/);
  await eventually(async () => assert.equal(await carol.box(ROOMY).isChecked(), true, "there is no room"));
  await alice.unchecks(ROOMY);
  await carol.sees(ROOMY, "bob");
  await carol.checks(ROOMY);
});

test("a box that is ticked for want of room keeps its place, says why, and does nothing", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(LINE);
  await bob.sees(LINE, "alice");
  const box = bob.box(LINE);
  assert.equal(await box.isChecked(), true);
  assert.equal(await box.getAttribute("aria-disabled"), "true");
  assert.equal(await box.evaluate((element) => element.disabled), false, "it can be reached by keyboard");
  assert.equal(await describedBy(box), "alice");
  await bob.tries(LINE);
  await bob.isTold(/vpn main 1 vpn sub 1 is held by alice since \d\d:\d\d/);
  assert.equal(await box.isChecked(), true);
  await bob.sees(LINE, "alice");
  await bob.button(`Take over ${LINE}`).waitFor();
});

test("names are shown as they are written", async (t) => {
  const connections = `"<b>Klinik & Söhne</b>";"Leitstelle ""Nord"""\nmain;sub,with comma\n`;
  const { people } = await open(t, { connections, people: "alice\n<i>eve</i>\n" });
  const eve = await people.signIn("<i>eve</i>");
  const name = '<b>Klinik & Söhne</b> Leitstelle "Nord"';
  await eve.seesExactly(name, "main sub,with comma");
  await eve.box(name).click();
  await eve.sees(name, "<i>eve</i>");
});

const berlin = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "Europe/Berlin" });

async function secondsIn(person) {
  const [, seconds] = /(\d+) s\b/.exec(await textOf(person.row(LINE))) ?? assert.fail("the row tells no time");
  return Number(seconds);
}

/** What a screen reader adds to the name of a box. */
function describedBy(box) {
  return box.evaluate((element) => {
    const copy = document.getElementById(element.getAttribute("aria-describedby")).cloneNode(true);
    copy.querySelectorAll("[aria-hidden]").forEach((hidden) => hidden.remove());
    return copy.textContent;
  });
}

/** Runs in the page, before anything else. */
function shiftClock(shift) {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...parts) {
      if (parts.length === 0) super(Real.now() + shift);
      else super(...parts);
    }
    static now() {
      return Real.now() + shift;
    }
  };
}
