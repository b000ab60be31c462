/** Everything by keyboard. Nobody in here has a mouse. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const [ONE, TWO, THREE, FOUR] = ["vpn main 1 vpn sub 1", "vpn main 1 vpn sub 2", "vpn main 1 vpn sub 3", "vpn main 2 vpn sub 1"];

test("j and k go through the rows, and stop at both ends", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  for (const [key, row] of [["j", ONE], ["j", TWO], ["k", ONE], ["k", ONE], ["j", TWO], ["j", THREE], ["j", FOUR]]) {
    await alice.presses(key);
    await alice.hasFocusOn(row);
  }
});

test("Space checks and unchecks, and the keyboard stays", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.presses("j", "Space");
  await alice.isOn(ONE);
  await bob.sees(ONE, "alice");
  await alice.hasFocusOn(ONE);
  await alice.isTold(/vpn main 1 vpn sub 1 is yours/);
  await alice.presses("Space");
  await alice.isNotOn(ONE);
  await alice.hasFocusOn(ONE);
});

test("a slash searches, Enter goes to the first hit, Escape clears and leaves", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.presses("/");
  await alice.hasFocusOn("Search connections, people and notes");
  await alice.keyboard.type("jump/");
  assert.equal(await alice.search.inputValue(), "jump/", "keys are letters here");
  await alice.presses("Backspace", "Enter");
  await alice.hasFocusOn("vpn main 3 jump host");
  await alice.presses("/", "Escape");
  assert.equal(await alice.search.inputValue(), "");
  await alice.hasFocusOn("Search connections, people and notes");
  await alice.presses("Escape");
  await alice.hasFocusOn(ONE);
});

test("n writes a note, and Escape leaves it as it was", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.presses("j", "Space");
  await alice.isOn(ONE);
  await alice.presses("n");
  await alice.dialog.waitFor();
  await alice.keyboard.type("INC-7 njtf?/");
  await alice.presses("Enter");
  await alice.leftDialog();
  await alice.seesInRow(ONE, /INC-7 njtf\?\//);
  await alice.hasFocusOn(ONE);
  await alice.presses("n");
  await alice.dialog.waitFor();
  await alice.keyboard.type("something else");
  await alice.presses("Escape");
  await alice.leftDialog();
  await alice.seesInRow(ONE, /INC-7 njtf\?\//);
  await alice.hasFocusOn(ONE);
});

test("t takes over after a question, and the keyboard is on the row again", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(ONE);
  await bob.sees(ONE, "alice");
  await bob.presses("j", "t");
  await bob.dialog.getByRole("heading", { name: "Take over from alice?" }).waitFor();
  await bob.keyboard.type("urgent");
  await bob.presses("Enter");
  await bob.leftDialog();
  await bob.isOn(ONE);
  await bob.hasFocusOn(ONE);
  await alice.sees(ONE, "bob");
});

test("f folds and unfolds the group, and the keyboard stays with it", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.presses("j", "f");
  await alice.box(ONE).waitFor({ state: "hidden" });
  await alice.hasFocusOn("vpn main 1 in use 0 of 3");
  await alice.presses("j");
  await alice.hasFocusOn(FOUR);
  await alice.presses("k");
  await alice.hasFocusOn(FOUR);
  await alice.heading("vpn main 1").focus();
  await alice.presses("f");
  await alice.box(ONE).waitFor();
  await alice.presses("j");
  await alice.hasFocusOn(ONE);
});

test("a question mark tells all keys, and switches the single ones off", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.presses("j", "?");
  await alice.dialog.getByRole("heading", { name: "Keys" }).waitFor();
  for (const key of ["/", "j", "k", "Space", "t", "n", "f", "?", "Esc"]) {
    assert.ok(await alice.dialog.getByText(key, { exact: true }).count(), `the help does not tell ${key}`);
  }
  await alice.presses("Escape");
  await alice.leftDialog();
  await alice.hasFocusOn(ONE);

  await alice.presses("?");
  await alice.dialog.getByRole("checkbox", { name: "Single keys are on" }).press("Space");
  await alice.presses("Escape", "j", "f", "/", "n", "?");
  await alice.hasFocusOn(ONE);
  assert.equal(await alice.dialog.count(), 0);
  await alice.page.reload();
  await alice.isLive();
  await alice.presses("j");
  await alice.hasFocusOn("nothing");
});

test("keys with Control and the like are left to the browser", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.presses("j", "Control+j", "Alt+j", "Control+f");
  await alice.hasFocusOn(ONE);
});

test("by Tab alone, all of a row can be reached and done", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(ONE);
  await bob.sees(ONE, "alice");
  await bob.presses("Tab");
  await bob.hasFocusOn("To the content");
  await bob.presses("Enter");
  await tabsTo(bob, `Take over ${ONE}`);
  await bob.presses("Enter");
  await bob.dialog.waitFor();
  await bob.presses("Tab", "Tab", "Enter");
  await bob.isOn(ONE);
  await tabsTo(bob, `Add note on ${ONE}`);
});

test("in a dialog the keyboard stays in the dialog", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.checks(ONE);
  await alice.presses("n");
  await alice.dialog.waitFor();
  for (let press = 0; press < 8; press += 1) {
    await alice.presses("Tab");
    const outside = await alice.page.evaluate(() => {
      const at = document.activeElement;
      return at !== document.body && !at.closest("dialog");
    });
    assert.equal(outside, false);
  }
});

test("what has the keyboard is seen to have it", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  for (const key of ["j", "Tab", "Tab", "/"]) {
    await alice.presses(key);
    const outline = await alice.page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
      return { outlineStyle, outlineWidth: Number.parseFloat(outlineWidth), boxShadow };
    });
    const isSeen = (outline.outlineStyle !== "none" && outline.outlineWidth >= 2) || outline.boxShadow !== "none";
    assert.ok(isSeen, `${await alice.focused()}: ${JSON.stringify(outline)}`);
  }
});

test("a row that the keyboard is on is not hidden under the header or the line at the bottom", async (t) => {
  const connections = Array.from({ length: 60 }, (_, at) => `main ${at % 3};sub ${at}`).join("\n");
  const { people } = await open(t, { connections });
  const alice = await people.signIn("alice", { size: { width: 1280, height: 500 } });
  for (const keys of [Array(40).fill("j"), Array(30).fill("k")]) {
    for (const key of keys) {
      await alice.presses(key);
      await eventually(async () => assert.equal(await isUncovered(alice.page), true, await alice.focused()));
    }
  }
});

async function tabsTo(person, name) {
  for (let press = 0; press < 40; press += 1) {
    if ((await person.focused()) === name) return;
    await person.presses("Tab");
  }
  assert.fail(`Tab does not lead to ${name}; it is on ${await person.focused()}, ${await textOf(person.mine)}`);
}

/** Whether what has the keyboard is what is seen at its place. */
function isUncovered(page) {
  return page.evaluate(() => {
    const { left, top, width, height } = document.activeElement.getBoundingClientRect();
    const seen = document.elementFromPoint(left + width / 2, top + height / 2);
    return seen === document.activeElement;
  });
}
