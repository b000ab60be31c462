/** The list files as they change under open pages. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { CONNECTIONS, PEOPLE } from "../support/server.js";
import { eventually, SLACK_MS, timed } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";
const WITHOUT = CONNECTIONS.split("\n").slice(1).join("\n");

/** How soon a saved list is on open pages, in ms: the promise. */
const TAKEN_UP_WITHIN_MS = 2000;

test("a saved list is on the open page within 2 s, without a reload", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.marksPage();
  const took = await timed(async () => {
    await server.save("sessions.csv", `${CONNECTIONS}vpn main 9;new one;3\n`);
    await alice.box("vpn main 9 new one").waitFor();
  });
  t.diagnostic(`on the page after ${Math.round(took)} ms`);
  assert.ok(took < TAKEN_UP_WITHIN_MS + SLACK_MS);
  await alice.seesInRow("vpn main 9 new one", /Free, room for 3/);
  await alice.checks("vpn main 9 new one");
  await server.save("sessions.csv", WITHOUT);
  await alice.box(LINE).waitFor({ state: "detached" });
  await alice.hasSamePage();
});

test("a line that goes while somebody is on it stays as retired until it is unchecked", async (t) => {
  const { server, people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(LINE);
  await bob.sees(LINE, "alice");
  await server.save("sessions.csv", WITHOUT);
  for (const person of [alice, bob]) await person.seesInRow(LINE, /retired/);
  assert.equal(await bob.box(LINE).getAttribute("aria-disabled"), "true");
  assert.equal(await bob.row(LINE).getByRole("button").count(), 0, "nothing else can be done with it");
  assert.equal(await alice.row(LINE).getByRole("button").count(), 0, "nothing else can be done with it");
  await alice.unchecks(LINE);
  for (const person of [alice, bob]) {
    await person.box("vpn main 2 vpn sub 2").focus();
    await person.box(LINE).waitFor({ state: "detached" });
  }
  await eventually(async () => {
    const [content] = [...(await server.reports()).values()];
    assert.match(String(content), /vpn main 1,vpn sub 1,alice/);
  });
});

test("a broken list leaves the board as it is, and admins are told, with line and mend", async (t) => {
  const { server, people } = await open(t, { passwords: ["dave"] });
  const [alice, dave] = [await people.signIn("alice"), await people.signIn("dave")];
  await server.save("sessions.csv", `${CONNECTIONS}vpn main 1;vpn sub 1\nno sub name\n`);
  const findings = dave.page.getByText("1 finding", { exact: true });
  await findings.click();
  const told = dave.page.getByRole("main").getByRole("listitem").filter({ hasText: "sessions.csv" });
  assert.match(await textOf(told), /last good list stays in force: .*sessions\.csv.*7.*sessions\.csv.*8/);
  await alice.checks(LINE);
  await dave.sees(LINE, "alice");
  assert.equal(await alice.page.getByText(/finding/).count(), 0, "it is for admins");
  await server.save("sessions.csv", WITHOUT);
  await findings.waitFor({ state: "detached" });
  await dave.seesInRow(LINE, /retired/);
});

test("an empty list says what to do", async (t) => {
  const { server, people } = await open(t, { connections: "# nothing yet\n" });
  const alice = await people.signIn("alice");
  await alice.page.getByRole("heading", { name: "No connections yet" }).waitFor();
  assert.match(await textOf(alice.page.getByRole("main")), /sessions\.csv/);
  await server.save("sessions.csv", CONNECTIONS);
  await alice.checks(LINE);
});

test("who is taken out of the list of people is out within 2 s; who is added may come in", async (t) => {
  const { server, people } = await open(t);
  const bob = await people.signIn("bob");
  const took = await timed(async () => {
    await server.save("users.txt", PEOPLE.replace("bob\n", "eve\n"));
    await bob.page.waitForURL(/\/login/);
  });
  t.diagnostic(`out after ${Math.round(took)} ms`);
  assert.equal((await bob.page.getByRole("option", { name: "bob" }).count()), 0);
  const eve = await people.signIn("eve");
  await eve.checks(LINE);
});

test("a role that an admin gives in the list opens the audit, and one that is taken closes it", async (t) => {
  const { server, people } = await open(t, { access: "password", passwords: ["alice"] });
  // Another role ends the sign-ins of before.
  const isAnswered = async (status) => {
    const { request } = (await people.comes("alice")).page.context();
    const form = { user: "alice", password: server.passwords.get("alice") };
    await request.post("/login", { form, maxRedirects: 0 });
    assert.equal((await request.get("/audit", { maxRedirects: 0 })).status(), status);
  };
  await server.save("users.txt", PEOPLE.replace("alice", "alice;auditor"));
  await eventually(() => isAnswered(200));
  await server.save("users.txt", PEOPLE);
  await eventually(() => isAnswered(403));
});
