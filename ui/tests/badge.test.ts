import assert from "node:assert/strict";
import { test } from "node:test";
import { hue, initials } from "../src/shared/badge";

test("initials are two letters, of two names where there are two", () => {
  const cases: [string, string][] = [
    ["alice", "AL"],
    ["Anna Berg", "AB"],
    ["anna.berg", "AB"],
    ["x", "X"],
    ["", "?"],
    ["ömer", "ÖM"],
  ];
  for (const [user, letters] of cases) assert.equal(initials(user), letters);
});

test("a name has always the same hue, whatever its case", () => {
  assert.equal(hue("alice"), hue("Alice"));
  for (const user of ["alice", "bob", "carol", ""]) assert.ok(hue(user) >= 0 && hue(user) < 8);
});
