/** The keyboard is never lost, whatever others do meanwhile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { CONNECTIONS } from "../support/server.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const [ONE, TWO, THREE] = ["vpn main 1 vpn sub 1", "vpn main 1 vpn sub 2", "vpn main 1 vpn sub 3"];

test("others' changes of the row and around it leave the keyboard where it is", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.box(TWO).focus();
  await watchFocus(alice.page);
  await bob.checks(ONE, TWO);
  await bob.notes(TWO, "INC-1");
  await bob.unchecks(ONE);
  await bob.unchecks(TWO);
  await alice.seesFree(TWO);
  await alice.hasFocusOn(TWO);
  assert.deepEqual(await alice.page.evaluate(() => globalThis.left), [], "the keyboard was elsewhere in between");
});

test("a button that goes hands the keyboard to its row", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(ONE);
  await bob.sees(ONE, "alice");
  await bob.button(`Take over ${ONE}`).focus();
  await alice.unchecks(ONE);
  await bob.seesFree(ONE);
  await bob.hasFocusOn(ONE);

  await alice.checks(TWO);
  await alice.button(`Add note on ${TWO}`).focus();
  await bob.takesOver(TWO);
  await alice.sees(TWO, "bob");
  await alice.hasFocusOn(TWO);
});

test("a row that a filter no longer wants stays until the keyboard leaves", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await bob.checks(ONE, TWO);
  await alice.filters("In use");
  await alice.seesExactly(ONE, TWO);
  await alice.box(ONE).focus();
  await bob.unchecks(ONE);
  await alice.seesFree(ONE);
  await alice.hasFocusOn(ONE);
  await alice.presses("j");
  await alice.hasFocusOn(TWO);
  await alice.seesExactly(TWO);
});

test("a row that moves in the list keeps the keyboard", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.box(ONE).focus();
  await server.save("sessions.csv", `vpn main 0;first\n${CONNECTIONS.split("\n").reverse().join("\n")}\n`);
  await eventually(async () => assert.equal((await alice.seesRows()).at(-1), ONE));
  await alice.hasFocusOn(ONE);
});

test("a row that is taken off the list while the keyboard is on it stays until it leaves", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.box(ONE).focus();
  await server.save("sessions.csv", CONNECTIONS.split("\n").slice(1).join("\n"));
  await alice.seesInRow(ONE, /Off the list/);
  await alice.hasFocusOn(ONE);
  await alice.presses("k");
  await alice.hasFocusOn(THREE);
  await eventually(async () => assert.ok(!(await alice.seesRows()).includes(ONE)));
});

test("unchecking on top moves the keyboard to the next one, at last to the row", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.checks(ONE, TWO, THREE);
  await alice.button(`Uncheck ${TWO}`).focus();
  await alice.presses("Enter");
  await alice.isNotOn(TWO);
  await alice.hasFocusOn(`Uncheck ${THREE}`);
  await alice.presses("Enter");
  await alice.isNotOn(THREE);
  await alice.hasFocusOn(`Uncheck ${ONE}`);
  await alice.presses("Enter");
  await alice.isNotOn(ONE);
  await alice.hasFocusOn(ONE);
});

test("the loss of a session on top does not lose the keyboard", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(ONE);
  await alice.button(`Uncheck ${ONE}`).focus();
  await bob.takesOver(ONE);
  await alice.sees(ONE, "bob");
  assert.notEqual(await alice.focused(), "nothing");
});

test("a group that folds under the keyboard hands it on", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.box(TWO).focus();
  await alice.button("Fold all").press("Enter");
  await alice.hasFocusOn("Unfold all");
  await alice.presses("Enter");
  await alice.box(TWO).focus();
  await alice.presses("f");
  await alice.hasFocusOn("vpn main 1 in use 0 of 3");
});

test("a dialog whose row changes keeps the keyboard, and gives it back", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(ONE);
  await bob.sees(ONE, "alice");
  await bob.presses("j", "t");
  await bob.dialog.waitFor();
  await bob.keyboard.type("INC");
  await alice.unchecks(ONE);
  await eventually(async () => assert.match(await textOf(bob.dialog), /has become free/));
  await bob.keyboard.type("-9");
  assert.equal(await bob.dialog.getByRole("textbox").inputValue(), "INC-9");
  await bob.presses("Escape");
  await bob.leftDialog();
  await bob.hasFocusOn(ONE);
});

test("neither the loss of the server nor its return moves the keyboard", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.box(TWO).focus();
  await server.cut();
  await alice.banner.waitFor();
  await alice.hasFocusOn(TWO);
  await server.start();
  await alice.isLive();
  await alice.hasFocusOn(TWO);
});

/** Notes down in the page whenever the keyboard goes elsewhere. */
function watchFocus(page) {
  return page.evaluate(() => {
    globalThis.left = [];
    document.addEventListener("focusout", () => globalThis.left.push(document.activeElement?.tagName));
  });
}
