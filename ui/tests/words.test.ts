import assert from "node:assert/strict";
import { test } from "node:test";
import { heldBy, refusal, ticketIn } from "../src/board/words";
import { connection, session } from "./support";

const now = Date.parse("2026-11-24T10:42:00+01:00");
const alice = session("alice");

test("a line without room says who holds it", () => {
  assert.equal(heldBy(connection([alice]), [alice], now), "vpn main 1 vpn sub 1 is held by alice since 09:12");
  assert.equal(heldBy(connection([], { retired: true }), [], now), "vpn main 1 vpn sub 1 is off the list");
});

test("a refusal names the holders that the answer gives", () => {
  const answer = { ok: false as const, code: "taken", message: "it is taken", holders: [alice] };
  assert.equal(refusal(connection(), answer, "bob", now), "vpn main 1 vpn sub 1 is held by alice since 09:12");
});

test("a refusal without holders says the server's words", () => {
  const answer = { ok: false as const, code: "rate_limited", message: "slow down" };
  assert.equal(refusal(connection(), answer, "bob", now), "vpn main 1 vpn sub 1: slow down");
});

test("a ticket's number is set off from the note", () => {
  assert.deepEqual(ticketIn("INC-48213 Certificate renewal"), { ticket: "INC-48213", rest: "Certificate renewal" });
  assert.deepEqual(ticketIn("CHG-1: patch"), { ticket: "CHG-1", rest: "patch" });
  assert.deepEqual(ticketIn("#4711"), { ticket: "#4711", rest: "" });
  assert.deepEqual(ticketIn("Night run"), { ticket: "", rest: "Night run" });
  assert.deepEqual(ticketIn("INC-48213x is no ticket"), { ticket: "", rest: "INC-48213x is no ticket" });
});
