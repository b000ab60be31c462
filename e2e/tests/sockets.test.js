/** The board's events, as the official client in JavaScript has them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, WAYS } from "../support/client.js";
import { Server } from "../support/server.js";
import { eventually } from "../support/wait.js";

const LINE = "vpn main 1;vpn sub 1";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

async function serverFor(t) {
  const server = await Server.start({ access: "password", passwords: ["alice", "bob", "dave"] });
  t.after(() => server.end());
  return server;
}

for (const [way, transports] of Object.entries(WAYS)) {
  test(`by ${way}: the board, a check, its changes, and an uncheck`, async (t) => {
    const server = await serverFor(t);
    const alice = await Client.connect(t, server, "alice", { transports });
    const bob = await Client.connect(t, server, "bob", { transports });
    theBoardIsWhole(await alice.board());

    const { ok, session } = await alice.check(LINE, { note: "INC-1" });
    assert.equal(ok, true);
    assert.deepEqual(Object.keys(session).sort(), ["connection", "id", "note", "since", "source", "unconfirmed", "user"]);
    assert.match(session.since, TIME);
    for (const client of [alice, bob]) theChangeShows(await client.changes(), session);

    const { session: ended } = await alice.uncheck(LINE);
    assert.deepEqual([ended.id, ended.ended_by], [session.id, "alice"]);
    await eventually(() => assert.deepEqual(bob.last("changes").connections[0].sessions, []));
  });

  test(`by ${way}: nobody comes in without a sign-in`, async (t) => {
    const server = await serverFor(t);
    for (const auth of [{}, { token: "" }, { token: "a.b.c" }]) {
      const stranger = Client.opened(t, server, { transports, auth });
      const error = await stranger.refusal();
      assert.equal(error.data.code, "unauthorized", JSON.stringify(auth));
      assert.deepEqual(stranger.heard, []);
    }
  });

  test(`by ${way}: who comes back by itself after a restart has what was missed`, async (t) => {
    const server = await serverFor(t);
    const token = await server.token("alice");
    const auth = ({ last }) => ({ token, ...last });
    const alice = Client.opened(t, server, { transports, auth });
    const { epoch } = await alice.board();
    const { session } = await alice.check(LINE);
    const { seq } = await alice.changes();
    alice.last = { epoch, seq };

    await server.cut();
    alice.forget();
    await server.start();
    await alice.connected();
    delete alice.last;
    const [event, { seq: now, connections = [] }] = await eventually(() => {
      assert.notEqual(alice.heard.length, 0);
      return alice.heard[0];
    });
    assert.equal(event, "changes", "the epoch is the same, so nothing is told twice");
    assert.ok(now >= seq);
    assert.deepEqual(connections, []);
    assert.equal((await alice.check(LINE)).holders[0].id, session.id);
  });
}

test("polling goes on as a WebSocket, with nothing lost", async (t) => {
  const server = await serverFor(t);
  const transports = WAYS["polling, then a WebSocket"];
  const alice = await Client.connect(t, server, "alice", { transports });
  const bob = await Client.connect(t, server, "bob", { transports: ["websocket"] });
  for (const round of [1, 2, 3, 4, 5]) {
    assert.equal((await bob.check(LINE, { note: `${round}` })).ok, true);
    assert.equal((await bob.uncheck(LINE)).ok, true);
  }
  await eventually(() => assert.equal(alice.transport, "websocket"));
  const { seq } = bob.last("changes");
  const changes = await alice.changesUpTo(seq);
  assert.equal(new Set(changes.map((change) => change.seq)).size, changes.length);
});

test("the handshake promises that silence is noticed within 30 seconds", async (t) => {
  const server = await serverFor(t);
  const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
  const { pingInterval, pingTimeout, upgrades } = JSON.parse((await answer.text()).slice(1));
  assert.ok(pingInterval + pingTimeout <= 30_000);
  assert.deepEqual(upgrades, ["websocket"]);
});

function theBoardIsWhole({ epoch, seq, me, now, connections }) {
  assert.equal(typeof epoch, "string");
  assert.equal(typeof seq, "number");
  assert.deepEqual(me, { user: "alice", role: "member" });
  assert.match(now, TIME);
  assert.equal(connections.length, 6);
  const first = { id: LINE, main: "vpn main 1", sub: "vpn sub 1", capacity: 1, retired: false, sessions: [], waiting: [] };
  assert.deepEqual(connections[0], first);
  assert.equal(connections[5].capacity, 2);
}

function theChangeShows({ seq, connections }, session) {
  assert.equal(typeof seq, "number");
  assert.equal(connections.length, 1, "only what changed");
  assert.deepEqual(connections[0].sessions, [session]);
  assert.equal(session.user, "alice");
  assert.equal(session.note, "INC-1");
}
