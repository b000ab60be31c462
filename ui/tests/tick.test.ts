import assert from "node:assert/strict";
import { test } from "node:test";
import { afterChange, afterYes, askOff, askOn, viewOf } from "../src/board/tick";
import { connection, session } from "./support";

const free = connection();
const mine = session("bob");
const withMe = connection([mine]);
const withAlice = connection([session("alice")]);

test("a row shows what the server said", () => {
  const cases = [
    { of: free, state: "open", ticked: false, locked: false, canTakeOver: false, canNote: false },
    { of: withMe, state: "my", ticked: true, locked: false, canTakeOver: false, canNote: true },
    { of: withAlice, state: "taken", ticked: true, locked: true, canTakeOver: true, canNote: false },
    { of: { ...withAlice, capacity: 2 }, state: "part", ticked: false, locked: false, canTakeOver: false, canNote: false },
    { of: { ...withAlice, retired: true }, state: "taken", ticked: true, locked: true, canTakeOver: false, canNote: false },
    { of: { ...withMe, retired: true }, state: "my", ticked: true, locked: false, canTakeOver: false, canNote: false },
    { of: { ...free, retired: true }, state: "gone", ticked: false, locked: true, canTakeOver: false, canNote: false },
  ];
  for (const { of, ...expected } of cases) {
    const { state, ticked, locked, canTakeOver, canNote } = viewOf(of, null, "bob");
    assert.deepEqual({ state, ticked, locked, canTakeOver, canNote }, expected);
  }
});

test("a tick shows at once, and goes when it is refused", () => {
  const asked = viewOf(free, askOn(), "bob");
  assert.equal(asked.ticked && asked.arriving && asked.waits, true);
  assert.equal(viewOf(free, null, "bob").ticked, false);
});

test("an answer before its change keeps the tick until the change comes", () => {
  const granted = afterYes(askOn(), mine, free);
  assert.equal(viewOf(free, granted, "bob").mine, mine);
  assert.equal(afterChange(granted, connection([session("alice")])), granted);
  assert.equal(afterChange(granted, withMe), null);
});

test("a change before its answer leaves nothing to wait for", () => {
  const asked = afterChange(askOn(), withMe);
  assert.equal(viewOf(withMe, asked, "bob").sessions.length, 1);
  assert.equal(afterYes(asked, mine, withMe), null);
});

test("a session that was taken over before its answer came is not shown again", () => {
  const asked = afterChange(afterChange(askOn(), withMe), withAlice);
  assert.equal(afterYes(asked, mine, withAlice), null);
});

test("an untick shows at once, until the change comes", () => {
  const asked = askOff(mine);
  assert.equal(viewOf(withMe, asked, "bob").ticked, false);
  assert.equal(afterChange(asked, withMe), asked);
  assert.equal(afterChange(asked, free), null);
});

test("an untick that was answered first does not flicker", () => {
  const granted = afterYes(askOff(mine), mine, withMe);
  assert.equal(viewOf(withMe, granted, "bob").ticked, false);
  assert.equal(afterYes(askOff(mine), mine, free), null);
});

test("what was taken back meanwhile stays taken back", () => {
  assert.equal(afterYes(null, mine, free), null);
  assert.equal(afterChange(null, withMe), null);
});
