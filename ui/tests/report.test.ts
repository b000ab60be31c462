import assert from "node:assert/strict";
import { test } from "node:test";
import * as reports from "../src/audit/report";

const COLUMNS = "main,sub,user,connected_at,disconnected_at,duration_s,ended_by,note,session_id".split(",");

const week: reports.Report = {
  name: "audit-2026-W48.csv",
  week: "2026-W48",
  from: "2026-11-23",
  to: "2026-11-29",
  rows: 37,
  bytes: 5800,
  modified: null,
};

const table = (...rows: string[][]): reports.ReportTable => ({ name: week.name, columns: COLUMNS, rows });

const row = (changed: Record<number, string> = {}) => {
  const [connected, disconnected] = ["2026-11-26T22:00:00+01:00", "2026-11-27T06:12:00+01:00"];
  const cells = ["Klinikum", "Labor", "alice", connected, disconnected, "29520", "alice", "", "s1"];
  return cells.map((cell, at) => changed[at] ?? cell);
};

test("a row keeps the report's own times, and says the day once", () => {
  const [shown] = reports.rowsOf(table(row()));
  assert.ok(shown?.kind === "session");
  assert.equal(shown.connected.text, "Thu 26 22:00");
  assert.equal(shown.disconnected.text, "Fri 27 06:12");
  assert.equal(shown.duration.text, "8:12");
  const [sameDay] = reports.rowsOf(table(row({ 4: "2026-11-26T23:10:00+01:00" })));
  assert.ok(sameDay?.kind === "session");
  assert.equal(sameDay.disconnected.text, "23:10");
});

test("the newest rows come first", () => {
  const shown = reports.rowsOf(table(row({ 7: "older" }), row({ 7: "newer" })));
  assert.deepEqual(shown.map((one) => one.kind === "session" && one.note), ["newer", "older"]);
});

test("the mark against formulas is taken off, and nothing else", () => {
  const notes = ["'=SUM(1)", "'@x", "'quoted'", "plain"];
  const shown = reports.rowsOf(table(...notes.map((note) => row({ 7: note })))).reverse();
  assert.deepEqual(shown.map((one) => one.kind === "session" && one.note), ["=SUM(1)", "@x", "'quoted'", "plain"]);
});

test("cells that are no times or numbers are shown as they are", () => {
  const [shown] = reports.rowsOf(table(row({ 3: "yesterday", 5: "long" })));
  assert.ok(shown?.kind === "session");
  assert.equal(shown.connected.text, "yesterday");
  assert.equal(shown.duration.text, "long");
});

test("a file with other columns is shown plainly", () => {
  const shown = reports.rowsOf({ name: "x.csv", columns: ["who"], rows: [["alice"], ["bob"]] });
  assert.deepEqual(shown.map((one) => one.kind === "plain" && one.cells), [["bob"], ["alice"]]);
});

test("how a session ended is said in words", () => {
  assert.deepEqual(reports.endedBy("alice", "alice"), { text: "alice", isUsual: true });
  assert.deepEqual(reports.endedBy("taken-over:bob", "alice"), { text: "taken over by bob", isUsual: false });
  assert.deepEqual(reports.endedBy("admin:carol", "alice"), { text: "admin carol", isUsual: false });
  assert.deepEqual(reports.endedBy("expired", "alice"), { text: "expired", isUsual: false });
});

test("durations are hours and minutes, or seconds", () => {
  const cases: [string, string][] = [["0", "0 s"], ["59", "59 s"], ["60", "0:01"], ["2280", "0:38"], ["360000", "100:00"]];
  for (const [seconds, text] of cases) assert.equal(reports.durationOf(seconds), text);
});

test("weeks and sizes read well", () => {
  assert.equal(reports.titleOf(week), "Week 48, 23–29 November 2026");
  assert.equal(reports.daysOf(week), "23–29 Nov");
  assert.equal(reports.daysOf({ ...week, from: "2026-10-26", to: "2026-11-01" }), "26 Oct – 1 Nov");
  assert.equal(reports.sizeOf(999), "999 bytes");
  assert.equal(reports.sizeOf(5800), "5.8 kB");
  assert.equal(reports.sizeOf(31_400_000), "31.4 MB");
});

test("a hash names a report by its week or its file", () => {
  const other = { ...week, name: "audit-2026-W48-old.csv" };
  assert.equal(reports.reportFor("#2026-W48", [week, other]), week);
  assert.equal(reports.reportFor("#audit-2026-W48-old.csv", [week, other]), other);
  assert.equal(reports.reportFor("#", [week]), undefined);
  assert.equal(reports.reportFor("#%E0%A4%A", [week]), undefined);
});

test("a search finds rows by all that is in them", () => {
  const shown = reports.rowsOf(table(row({ 7: "INC-1" }), row({ 2: "bob" })));
  const texts = shown.map((one) => reports.textOf(one).toLowerCase());
  assert.equal(reports.found(shown, texts, []).length, 2);
  assert.equal(reports.found(shown, texts, ["labor", "inc-1"]).length, 1);
  assert.equal(reports.found(shown, texts, ["2026-11-26", "bob"]).length, 1);
});
