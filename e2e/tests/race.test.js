/** What a page shows before the server has answered, and takes back where the answer is no. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { holdFrames } from "../support/frames.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";

test("a tick shows at once, before the server has answered", async (t) => {
  const { people } = await open(t);
  const { bob, frames } = await slow(people, "bob");
  frames.hold();
  await bob.box(LINE).click();
  assert.equal(await bob.box(LINE).isChecked(), true);
  await bob.sees(LINE, "bob");
  await frames.release();
  await bob.isOn(LINE);
});

for (const order of ["the answer first", "the change first"]) {
  test(`a tick that came too late is taken back with the holder's name: ${order}`, async (t) => {
    const { people } = await open(t);
    const alice = await people.signIn("alice");
    const { bob, frames } = await slow(people, "bob");
    frames.hold();
    await alice.checks(LINE);
    await bob.box(LINE).click();
    assert.equal(await bob.box(LINE).isChecked(), true, "it shows at once");
    await bob.sees(LINE, "bob");
    await eventually(() => {
      assert.ok(frames.held.some(isAnswer), "the answer has come");
      assert.ok(frames.held.some(isChange), "the change has come");
    });
    await frames.release(order === "the answer first" ? isAnswer : isChange);
    await frames.release();
    await bob.isTold(/vpn main 1 vpn sub 1 is held by alice since \d\d:\d\d/);
    await bob.sees(LINE, "alice");
    assert.equal(await bob.box(LINE).getAttribute("aria-disabled"), "true");
    await alice.isOn(LINE);
  });
}

test("the refusal alone takes the tick back and names the holder", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  const { bob, frames } = await slow(people, "bob");
  frames.hold();
  await alice.checks(LINE);
  await bob.box(LINE).click();
  await eventually(() => assert.ok(frames.held.some(isAnswer)));
  await frames.release(isAnswer);
  await bob.isTold(/vpn main 1 vpn sub 1 is held by alice since/);
  await bob.seesFree(LINE);
  await frames.release();
  await bob.sees(LINE, "alice");
});

test("clicking on while an answer is awaited asks once", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  const { bob, frames } = await slow(people, "bob");
  frames.hold();
  await bob.box(LINE).click();
  for (let click = 0; click < 4; click += 1) await bob.tries(LINE);
  assert.equal(frames.sent.filter((frame) => /^42\d+\["(un)?check"/.test(frame)).length, 1);
  await frames.release();
  await bob.isOn(LINE);
  await alice.sees(LINE, "bob");
});

test("two who click at the same moment: one is on it, the other is told who", async (t) => {
  const { people } = await open(t);
  const pair = [await people.signIn("alice"), await people.signIn("bob")];
  await Promise.all(pair.map((person) => person.tries(LINE)));
  const holder = await eventually(async () => {
    const shown = await Promise.all(pair.map((person) => person.row(LINE).locator(".who-name").allInnerTexts()));
    assert.equal(shown[0].length, 1);
    assert.deepEqual(shown[1], shown[0], "both see the same");
    return shown[0][0];
  });
  const [winner, loser] = pair[0].name === holder ? pair : [...pair].reverse();
  await winner.isOn(LINE);
  await loser.sees(LINE, holder);
  await loser.isTold(new RegExp(`vpn main 1 vpn sub 1 is held by ${holder} since`));
});

/** Somebody whose way from the server can be held up. */
async function slow(people, name) {
  const bob = await people.comes(name);
  const frames = await holdFrames(bob.page);
  await bob.opens("/login");
  await bob.signsIn();
  await bob.isLive();
  return { bob, frames };
}

/** Socket.IO's acks and its event `changes`, as Engine.IO frames. */
function isAnswer(frame) {
  return /^43\d+\[/.test(frame);
}

function isChange(frame) {
  return frame.startsWith('42["changes"');
}
