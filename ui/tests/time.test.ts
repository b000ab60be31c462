import assert from "node:assert/strict";
import { test } from "node:test";
import { counted } from "../src/shared/count";
import { lasted, moment, roughly } from "../src/shared/time";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test("a span is said in the two largest units that matter", () => {
  const cases: [number, string][] = [
    [-5 * SECOND, "0 s"],
    [0, "0 s"],
    [59.9 * SECOND, "59 s"],
    [MINUTE, "1 min"],
    [59 * MINUTE + 59 * SECOND, "59 min"],
    [HOUR, "1 h"],
    [HOUR + 30 * MINUTE, "1 h 30 min"],
    [23 * HOUR + 59 * MINUTE, "23 h 59 min"],
    [3 * DAY + 18 * HOUR + 12 * MINUTE, "3 d 18 h"],
    [30 * DAY, "30 d"],
  ];
  for (const [span, text] of cases) assert.equal(lasted(span), text);
});

test("a span in a sentence is rough", () => {
  assert.equal(roughly(30 * SECOND), "less than a minute");
  assert.equal(roughly(MINUTE), "1 minute");
  assert.equal(roughly(6 * MINUTE + 40 * SECOND), "6 minutes");
  assert.equal(roughly(2 * HOUR), "2 hours");
});

test("a moment says its day only where it is another one", () => {
  const now = Date.parse("2026-11-24T10:42:00+01:00");
  const cases: [string, string][] = [
    ["2026-11-24T09:12:00+01:00", "09:12"],
    ["2026-11-24T08:12:00Z", "09:12"],
    ["2026-11-23T23:59:00+01:00", "Mon 23:59"],
    ["2026-11-20T16:30:00+01:00", "Fri 16:30"],
    ["2026-11-17T10:00:00+01:00", "17 Nov 10:00"],
    ["2025-11-24T10:00:00+01:00", "24 Nov 10:00"],
  ];
  for (const [at, text] of cases) assert.equal(moment(Date.parse(at), now), text, at);
});

test("one thing is singular", () => {
  assert.equal(counted(1, "row"), "1 row");
  assert.equal(counted(0, "row"), "0 rows");
  assert.equal(counted(10_000, "row"), "10,000 rows");
});
