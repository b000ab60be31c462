import assert from "node:assert/strict";
import { test } from "node:test";
import type { Board, Connection } from "../src/board/model";
import { Roster } from "../src/board/roster";
import { askOn } from "../src/board/tick";
import { connection, session } from "./support";

const named = (main: string, sub: string, changed: Partial<Connection> = {}) =>
  connection([], { id: `${main};${sub}`, main, sub, ...changed });

const boardOf = (...connections: Connection[]): Board => ({
  epoch: "e",
  seq: 1,
  me: { user: "bob", role: "member" },
  now: "2026-11-24T10:42:00+01:00",
  findings: [],
  connections,
});

const rosterOf = (...connections: Connection[]) => {
  const roster = new Roster(() => undefined);
  roster.replace(boardOf(...connections));
  return roster;
};

const ids = (roster: Roster) => roster.rows.value.map((row) => row.id);

test("a change reaches its row and leaves the others alone", () => {
  const roster = rosterOf(named("a", "1"), named("a", "2"));
  const [one, two] = roster.rows.value.map((row) => row.view.value);
  roster.change({ seq: 2, connections: [named("a", "2", { sessions: [session("alice")] })] });
  assert.equal(roster.rows.value[0]?.view.value, one);
  assert.notEqual(roster.rows.value[1]?.view.value, two);
  assert.deepEqual(roster.counts.value, { all: 2, used: 1, mine: 0 });
});

test("a whole board keeps the rows that it still lists, in its order", () => {
  const roster = rosterOf(named("a", "1"), named("b", "1"));
  const kept = roster.find("b;1");
  roster.replace(boardOf(named("b", "1"), named("c", "1")));
  assert.deepEqual(ids(roster), ["b;1", "c;1"]);
  assert.equal(roster.find("b;1"), kept);
  assert.equal(roster.find("a;1"), undefined);
});

test("the same board again changes nothing", () => {
  const roster = rosterOf(named("a", "1"));
  const [rows, groups] = [roster.rows.value, roster.groups.value];
  roster.replace(boardOf(named("a", "1")));
  assert.equal(roster.rows.value, rows);
  assert.equal(roster.groups.value, groups);
});

test("a retired line goes with its last session", () => {
  const retired = { retired: true };
  const roster = rosterOf(named("a", "1"), named("a", "2", { ...retired, sessions: [session("alice")] }));
  roster.change({ seq: 2, connections: [named("a", "2", retired)] });
  assert.deepEqual(ids(roster), ["a;1"]);
});

test("a row that goes stays as long as the keyboard is in it", () => {
  const roster = rosterOf(named("a", "1"), named("a", "2"));
  const row = roster.find("a;2");
  assert.ok(row);
  row.focused.value = true;
  roster.replace(boardOf(named("a", "1")));
  assert.deepEqual(ids(roster), ["a;1", "a;2"]);
  assert.equal(row.view.value.state, "gone");
  roster.leave(row);
  assert.deepEqual(ids(roster), ["a;1"]);
});

test("a filter hides a row only when the keyboard has left it", () => {
  const roster = rosterOf(named("a", "1", { sessions: [session("alice")] }));
  const row = roster.find("a;1");
  assert.ok(row);
  roster.show.value = "used";
  row.focused.value = true;
  roster.change({ seq: 2, connections: [named("a", "1")] });
  assert.equal(row.hidden.value, false);
  roster.leave(row);
  assert.equal(row.hidden.value, true);
});

test("what I just ticked is shown among mine at once", () => {
  const roster = rosterOf(named("a", "1"));
  roster.show.value = "mine";
  const row = roster.find("a;1");
  assert.ok(row);
  row.tick.value = askOn();
  assert.equal(row.hidden.value, false);
});

test("folded groups are passed over, but not in a search", () => {
  const roster = rosterOf(named("a", "1"), named("b", "1"));
  roster.fold("a", true);
  assert.deepEqual(roster.visibleRows().map((row) => row.id), ["b;1"]);
  roster.search.value = "1";
  assert.deepEqual(roster.visibleRows().map((row) => row.id), ["a;1", "b;1"]);
});
