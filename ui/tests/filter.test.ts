import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped, isShown, neighbour, searchText } from "../src/board/filter";
import { hasWords, wordsOf } from "../src/shared/search";
import { connection, session } from "./support";

const labor = connection([session("Zoë", { note: "INC-48213 Certificate" })], { main: "Klinikum Köln", sub: "Labor" });

test("a search finds names, people and notes, whatever the case and the accents", () => {
  const finds = (search: string) => hasWords(searchText(labor), wordsOf(search));
  for (const search of ["", "  ", "labor", "KOLN lab", "köln", "zoe", "inc-48213", "zoe certif", "koln labor"]) {
    assert.equal(finds(search), true, search);
  }
  for (const search of ["apotheke", "labor alice", "48214"]) assert.equal(finds(search), false, search);
});

test("words do not run into each other", () => {
  assert.equal(hasWords(searchText(labor), wordsOf("laborzoe")), false);
});

test("the filters show all, those in use, and mine", () => {
  const shown = (sessions: Parameters<typeof connection>[0]) =>
    (["all", "used", "mine"] as const).map((show) => isShown(connection(sessions), show, "bob"));
  assert.deepEqual(shown([]), [true, false, false]);
  assert.deepEqual(shown([session("alice")]), [true, true, false]);
  assert.deepEqual(shown([session("alice"), session("bob")]), [true, true, true]);
});

test("groups keep the file's order, also where a main name comes again", () => {
  const groups = grouped(["b1", "a1", "b2"], (name) => name.charAt(0));
  assert.deepEqual(groups, [
    { main: "b", items: ["b1", "b2"] },
    { main: "a", items: ["a1"] },
  ]);
});

test("j and k stop at the ends", () => {
  const rows = ["first", "second", "third"];
  assert.equal(neighbour(rows, undefined, 1), "first");
  assert.equal(neighbour(rows, undefined, -1), "third");
  assert.equal(neighbour(rows, "second", 1), "third");
  assert.equal(neighbour(rows, "third", 1), "third");
  assert.equal(neighbour(rows, "first", -1), "first");
  assert.equal(neighbour(rows, "gone", 1), "first");
  assert.equal(neighbour([], undefined, 1), undefined);
});
