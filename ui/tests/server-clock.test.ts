import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../src/board/server-clock";

test("the server's time runs on whatever the browser's clock says", () => {
  const measured = { steady: 500, wall: Date.parse("1999-01-01T00:00:00Z") };
  const clock = new ServerClock(() => ({ ...measured }));
  assert.equal(clock.now(), 0);
  clock.set("2026-11-24T10:42:00Z");
  measured.steady += 3000;
  measured.wall += 3000;
  assert.equal(clock.now(), Date.parse("2026-11-24T10:42:03Z"));
  assert.equal(clock.slept(), false);
});

test("a machine that slept makes the time be asked for again", () => {
  const measured = { steady: 0, wall: 0 };
  const clock = new ServerClock(() => ({ ...measured }));
  clock.set("2026-11-24T10:42:00Z");
  measured.wall += 3_600_000;
  assert.equal(clock.slept(), true);
  clock.set("2026-11-24T11:42:00Z");
  assert.equal(clock.slept(), false);
});

test("a time that is none changes nothing", () => {
  const clock = new ServerClock(() => ({ steady: 0, wall: 0 }));
  clock.set("2026-11-24T10:42:00Z");
  clock.set("soon");
  assert.equal(clock.now(), Date.parse("2026-11-24T10:42:00Z"));
});
