import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, listed, lostBy, newsOf } from "../src/board/news";
import { connection, session } from "./support";

const free = connection();
const alice = connection([session("alice")]);
const bob = connection([session("bob")]);

test("what others do is told", () => {
  assert.equal(newsOf(changesOf(free, alice, "bob")), "alice is on vpn main 1 vpn sub 1.");
  assert.equal(newsOf(changesOf(alice, free, "bob")), "alice left vpn main 1 vpn sub 1.");
  assert.equal(newsOf(changesOf(undefined, alice, "bob")), "alice is on vpn main 1 vpn sub 1.");
});

test("what I do is not told, nor who had to leave for me", () => {
  assert.deepEqual(changesOf(free, bob, "bob"), []);
  assert.deepEqual(changesOf(bob, free, "bob"), []);
  assert.deepEqual(changesOf(alice, bob, "bob"), []);
});

test("a note is no news", () => {
  assert.deepEqual(changesOf(alice, connection([session("alice", { note: "INC-1" })]), "bob"), []);
});

test("many changes are summed up", () => {
  const users = ["alice", "carol", "dave", "erin"];
  const came = users.flatMap((user) => changesOf(free, connection([session(user)]), "bob"));
  assert.equal(newsOf(came), "4 changes: 4 checked, by alice, carol and 2 others.");
  const left = changesOf(alice, free, "bob");
  assert.equal(newsOf([...came, ...left]), "5 changes: 4 checked, 1 unchecked, by alice, carol and 2 others.");
  assert.equal(newsOf([]), "");
});

test("that my session ended is told with who is on it now", () => {
  assert.equal(lostBy(bob, alice, "bob"), "alice is on vpn main 1 vpn sub 1 now, and your session has ended");
  assert.equal(lostBy(bob, free, "bob"), "Your session on vpn main 1 vpn sub 1 has ended");
  assert.equal(lostBy(bob, bob, "bob"), null);
  assert.equal(lostBy(alice, free, "bob"), null);
});

test("names are listed as one says them", () => {
  assert.equal(listed(["a"]), "a");
  assert.equal(listed(["a", "b"]), "a and b");
  assert.equal(listed(["a", "b", "c"]), "a, b and c");
  assert.equal(listed(["a", "b", "c", "d"]), "a, b and 2 others");
});
