/** Signing in and out, and what an account may not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";

test("a wrong password is said beside the form, which keeps the name", async (t) => {
  const { people } = await open(t, { access: "password", passwords: ["alice"] });
  const alice = await people.comes("alice");
  await alice.opens("/");
  assert.equal(new URL(alice.page.url()).pathname, "/login");
  await alice.signsIn("not this one");
  const problem = alice.page.getByRole("alert");
  assert.match(await textOf(problem), /^User or password is wrong\./);
  assert.equal(await alice.page.getByRole("textbox", { name: "User" }).inputValue(), "alice");
  await alice.hasFocusOn("");
  assert.equal(await alice.page.evaluate(() => document.activeElement.id), "password", "the keyboard is where to try again");
  await alice.signsIn();
  await alice.isLive();
});

test("who wanted another page is there after signing in, and nobody is sent to another site", async (t) => {
  const { server, people } = await open(t, { access: "password", passwords: ["carol"] });
  const carol = await people.comes("carol");
  await carol.opens("/audit");
  await carol.signsIn();
  await carol.page.waitForURL(`${server.url}/audit`);
  await carol.signsOut();
  await carol.opens("/login?next=//evil.example/");
  await carol.signsIn();
  await carol.isLive();
  assert.equal(carol.page.url(), `${server.url}/`);
});

test("signing out ends the sign-in, also for a copied cookie and in other tabs", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  const [cookie] = await alice.page.context().cookies();
  const tab = await alice.another();
  await tab.isLive();
  await alice.signsOut();
  await tab.page.waitForURL(/\/login/);
  const headers = { cookie: `${cookie.name}=${cookie.value}` };
  assert.equal((await fetch(`${server.url}/api/v1/me`, { headers })).status, 401);
});

test("Back after signing out shows no board", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.signsOut();
  await alice.page.goBack();
  await alice.page.waitForURL(/\/login/);
  await alice.button("Sign in").waitFor();
});

test("a tab in which somebody else signed in meanwhile comes back under the new name", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  const tab = await alice.another("/login");
  tab.name = "bob";
  await tab.signsIn();
  await tab.isLive();
  await server.cut();
  await server.start();
  await eventually(async () => {
    const named = await textOf(alice.page.getByRole("banner"));
    assert.match(named, /\bbob\b/, "what is done in it is done by bob, and it names another");
  });
});

test("the cookie is out of reach of scripts", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  const [cookie, ...others] = await alice.page.context().cookies();
  assert.deepEqual(others, []);
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Lax", "/"]);
  assert.equal(await alice.page.evaluate(() => document.cookie), "");
  const kept = await alice.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.ok(!kept.includes(cookie.value));
});

test("a member has no way to the audit, whatever the page is made to ask", async (t) => {
  const { people } = await open(t, { access: "password", passwords: ["alice"] });
  const alice = await people.signIn("alice");
  assert.equal(await alice.page.getByRole("link", { name: "Audit" }).count(), 0);
  const answer = await alice.opens("/audit");
  assert.equal(answer.status(), 403);
  await alice.opens("/");
  for (const path of ["/api/v1/audit/reports", "/api/v1/audit/reports/audit-2026-W48.csv", "/api/v1/messages"]) {
    const [status, code] = await alice.page.evaluate(async (where) => {
      const said = await fetch(where);
      return [said.status, (await said.json()).code];
    }, path);
    assert.deepEqual([status, code], [403, "forbidden"], path);
  }
});

test("a no is a page for people, with a way back", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  const answer = await alice.opens("/audit");
  assert.match(answer.headers()["content-type"], /^text\/html/);
  await alice.page.getByRole("link", { name: "Board" }).first().click();
  await alice.isLive();
});

test("a member cannot end another's session, whatever the page is made to ask", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(LINE);
  const [status, code] = await bob.page.evaluate(async () => {
    const { connections } = await (await fetch("/api/v1/connections")).json();
    const answer = await fetch(`/api/v1/sessions/${connections[0].sessions[0].id}`, { method: "DELETE" });
    return [answer.status, (await answer.json()).code];
  });
  assert.deepEqual([status, code], [403, "forbidden"]);
  await alice.isOn(LINE);
});

test("on the open board an admin without a password is a member, and with it an admin", async (t) => {
  const { people } = await open(t, { passwords: ["dave"] });
  const dave = await people.comes("dave");
  await dave.opens("/login");
  await dave.signsIn("");
  await dave.isLive();
  assert.equal(await dave.page.getByRole("link", { name: "Audit" }).count(), 0);
  assert.equal((await dave.opens("/audit")).status(), 403);
  await dave.opens("/");
  await dave.signsOut();
  await dave.signsIn();
  await dave.isLive();
  await dave.page.getByRole("link", { name: "Audit" }).click();
  await eventually(async () => assert.match(await dave.title(), /^Audit/));
});
