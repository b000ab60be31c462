/** What the server answers to events, and who may come in with what. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../support/client.js";
import { Server } from "../support/server.js";
import { eventually, inTime } from "../support/wait.js";

const LINE = "vpn main 1;vpn sub 1";
const ROOMY = "vpn main 3;jump host";

async function three(t) {
  const server = await Server.start({ access: "password", passwords: ["alice", "bob", "dave"] });
  t.after(() => server.end());
  const clients = ["alice", "bob", "dave"].map((name) => Client.connect(t, server, name));
  const [alice, bob, dave] = await Promise.all(clients);
  return { server, alice, bob, dave };
}

test("a no comes with its code, words, and who is on it", async (t) => {
  const { alice, bob } = await three(t);
  const { session } = await alice.check(LINE);
  for (const [asked, code] of [
    [bob.check(LINE), "taken"],
    [alice.check(LINE), "taken"],
    [bob.uncheck(LINE), "forbidden"],
    [bob.asks("uncheck", { session: session.id }), "forbidden"],
    [bob.note(LINE, "mine now"), "forbidden"],
    [bob.uncheck("vpn main 1;vpn sub 2"), "not_checked"],
    [bob.check("nowhere;at all"), "unknown_connection"],
    [bob.check("no separator"), "bad_request"],
    [bob.asks("check", {}), "bad_request"],
    [bob.asks("check", "vpn main 1;vpn sub 2"), "bad_request"],
    [bob.asks("uncheck", { session: "no-such-session" }), "unknown_session"],
    [bob.asks("dance", { connection: LINE }), "bad_request"],
    [bob.check("vpn main 1;vpn sub 2", { note: "x".repeat(501) }), "bad_request"],
  ]) {
    const answer = await asked;
    assert.equal(answer.ok, false);
    assert.equal(answer.code, code, JSON.stringify(answer));
    assert.ok(answer.message.length > 0);
  }
  const { holders } = await bob.check(LINE);
  assert.deepEqual(holders, [session]);
});

test("a take-over ends one session and starts another in one step", async (t) => {
  const { alice, bob, dave } = await three(t);
  const { session: before } = await alice.check(LINE);
  const { ok, session } = await bob.takeOver(LINE, { note: "urgent" });
  assert.deepEqual([ok, session.user, session.note], [true, "bob", "urgent"]);
  const { connections } = await eventually(() => {
    const last = dave.last("changes");
    assert.equal(last.connections[0].sessions[0]?.user, "bob");
    return last;
  });
  assert.deepEqual(connections[0].sessions, [session]);
  assert.notEqual(session.id, before.id);
  const shown = dave.heard.filter(([event]) => event === "changes").map(([, payload]) => payload.connections[0]);
  assert.ok(shown.every(({ sessions }) => sessions.length === 1), "nobody ever sees it free in between");
});

test("where several are on it, a take-over has to say from whom", async (t) => {
  const { alice, bob, dave } = await three(t);
  const { session } = await alice.check(ROOMY);
  assert.equal((await bob.check(ROOMY)).ok, true);
  const refused = await dave.takeOver(ROOMY);
  assert.deepEqual([refused.code, refused.holders.map(({ user }) => user)], ["taken", ["alice", "bob"]]);
  const taken = await dave.takeOver(ROOMY, { session: session.id });
  assert.equal(taken.session.user, "dave");
  await eventually(() => {
    const users = bob.last("changes").connections[0].sessions.map(({ user }) => user);
    assert.deepEqual(users.sort(), ["bob", "dave"]);
  });
});

test("a note is its holder's, and everybody sees it", async (t) => {
  const { alice, bob } = await three(t);
  await alice.check(LINE);
  const { ok, session } = await alice.note(LINE, "INC-48213 Certificate renewal");
  assert.deepEqual([ok, session.note], [true, "INC-48213 Certificate renewal"]);
  await eventually(() => assert.equal(bob.last("changes").connections[0].sessions[0].note, session.note));
});

test("an admin may end another's session, by naming it", async (t) => {
  const { alice, dave } = await three(t);
  const { session } = await alice.check(LINE);
  const { ok, session: ended } = await dave.asks("uncheck", { session: session.id });
  assert.deepEqual([ok, ended.ended_by], [true, "admin:dave"]);
});

test("all clients see the same changes in the same order", async (t) => {
  const { alice, bob, dave } = await three(t);
  const rounds = Array.from({ length: 20 }, (_, at) => (at % 2 ? bob : alice));
  const answers = await Promise.all(
    rounds.flatMap((client) => [client.check(LINE), client.uncheck(LINE), client.check(ROOMY), client.uncheck(ROOMY)]),
  );
  assert.ok(answers.some(({ ok }) => ok));
  const { session } = await dave.check("vpn main 2;vpn sub 2");
  const told = await Promise.all([alice, bob, dave].map((client) => linesUntil(client, session.id)));
  for (const connection of [LINE, ROOMY]) {
    const [first, ...others] = told.map((lines) => lines.filter(({ id }) => id === connection));
    others.forEach((other) => assert.deepEqual(other, first, connection));
  }
});

test("who comes back with epoch and seq gets what was missed, and others the whole board", async (t) => {
  const { server, alice, bob } = await three(t);
  const { epoch } = await alice.board();
  await alice.check("vpn main 2;vpn sub 1");
  const { seq } = await alice.changes();
  const token = await server.token("alice");
  alice.close();
  await bob.check(LINE);
  await bob.check(ROOMY);
  await bob.uncheck(LINE);

  const back = Client.opened(t, server, { auth: { token, epoch, seq } });
  const missed = await back.changes();
  assert.deepEqual(back.events, ["changes"]);
  assert.ok(missed.seq >= seq + 3);
  const byId = Object.fromEntries(missed.connections.map(({ id, sessions }) => [id, sessions.map(({ user }) => user)]));
  assert.deepEqual(byId, { [LINE]: [], [ROOMY]: ["bob"] });

  for (const known of [{ epoch: "another", seq }, { epoch, seq: seq + 1_000_000 }, { epoch }, { seq }]) {
    const other = Client.opened(t, server, { auth: { token, ...known } });
    await other.board();
    assert.deepEqual(other.events, ["board"], JSON.stringify(known));
  }
});

test("the cookie of a sign-in lets a socket in, and both end together", async (t) => {
  const { server } = await three(t);
  const cookie = await cookieOf(server, "alice");
  for (const transports of [["websocket"], ["polling"]]) {
    const page = Client.opened(t, server, { cookie, transports });
    assert.equal((await page.board()).me.user, "alice");
  }
  const page = Client.opened(t, server, { cookie });
  await page.board();
  const ended = page.disconnected();
  await fetch(`${server.url}/logout`, { method: "POST", headers: { cookie }, redirect: "manual" });
  assert.equal(await ended, "io server disconnect");
  assert.equal((await Client.opened(t, server, { cookie }).refusal()).data.code, "unauthorized");
});

test("another site's page does not get in with the cookie", async (t) => {
  const { server } = await three(t);
  const cookie = await cookieOf(server, "alice");
  const query = "EIO=4&transport=polling";
  const headers = { cookie, origin: "http://evil.example" };
  const answer = await fetch(`${server.url}/socket.io/?${query}`, { headers });
  assert.equal(answer.status, 403);
});

test("a packet that is too big ends the socket that sent it, and no other", async (t) => {
  const { alice, bob } = await three(t);
  const ended = inTime(new Promise((resolve) => bob.socket.io.once("close", resolve)), "the end of the socket");
  bob.socket.emit("check", { connection: LINE, note: "x".repeat(70_000) });
  await ended;
  assert.equal((await alice.check(LINE)).ok, true);
});

test("the server says goodbye to its sockets when it stops", async (t) => {
  const { server, alice } = await three(t);
  const gone = alice.disconnected();
  const start = performance.now();
  await server.stop();
  assert.ok(performance.now() - start < 3000, "it stops within 3 s");
  assert.match(await gone, /transport close|io server disconnect/);
});

/** The connections that a client was told of, in order, up to the one with that session. */
async function linesUntil(client, sessionId) {
  return eventually(() => {
    const lines = client.heard.filter(([event]) => event === "changes").flatMap(([, { connections }]) => connections);
    assert.ok(lines.some(({ sessions }) => sessions.some(({ id }) => id === sessionId)));
    return lines;
  });
}

async function cookieOf(server, name) {
  const body = new URLSearchParams({ user: name, password: server.passwords.get(name) });
  const answer = await fetch(`${server.url}/login`, { method: "POST", body, redirect: "manual" });
  return answer.headers.getSetCookie()[0].split(";")[0];
}
