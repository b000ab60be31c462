/** What the people page makes of accounts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { canBeInvited, endOfDay, inAYear, isShown, roleIsFixed, type Account } from "../src/people/account";

const alice: Account = {
  name: "Álice",
  role: "member",
  role_source: "usual",
  status: "active",
  listed: true,
  has_password: false,
  last_sign_in_at: null,
};
const left: Account = { ...alice, name: "bob", status: "disabled", reason: "left us", has_password: true };
const promon: Account = { ...alice, name: "promon", role: "admin", role_source: "service_user", has_password: true };

test("filters and words choose accounts", () => {
  const shown = (show: "all" | "waiting" | "out", ...words: string[]) =>
    [alice, left, promon].filter((account) => isShown(account, show, words)).map(({ name }) => name);
  assert.deepEqual(shown("all"), ["Álice", "bob", "promon"]);
  assert.deepEqual(shown("waiting"), ["Álice"]);
  assert.deepEqual(shown("out"), ["bob"]);
  assert.deepEqual(shown("all", "alice"), ["Álice"]);
  assert.deepEqual(shown("all", "left"), ["bob"]);
  assert.deepEqual(shown("waiting", "bob"), []);
});

test("what cannot be changed here is not offered", () => {
  assert.equal(canBeInvited(alice), true);
  assert.equal(canBeInvited(left), false);
  assert.equal(canBeInvited(promon), false, "the password is a setting");
  assert.equal(roleIsFixed(alice), null);
  assert.match(roleIsFixed({ ...alice, role_source: "users_file" }) ?? "", /users\.txt/);
  assert.match(roleIsFixed(promon) ?? "", /HC_USER/);
});

test("a token lasts a year where nobody says", () => {
  assert.equal(inAYear(Date.parse("2026-11-30T12:00:00Z")), "2027-11-30");
});

test("a token ends with its last day, as people here have it", () => {
  assert.equal(endOfDay("2027-11-30"), "2027-11-30T23:00:00.000Z");
  assert.equal(endOfDay("2027-03-28"), "2027-03-28T22:00:00.000Z", "the day on which clocks are set forward");
  assert.equal(endOfDay("soon"), "soon", "the server says what is wrong");
});
