/** The people page: an admin sets a team up, and lets somebody go. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const PASSWORD = "three words together";

/** An admin on the people page. */
async function admin(t, options = {}) {
  const { server, people } = await open(t, { access: "password", passwords: ["alice", "dave"], ...options });
  const dave = await people.signIn("dave");
  await dave.page.getByRole("link", { name: "People" }).click();
  await row(dave, "alice").waitFor();
  return { server, people, dave };
}

function row(person, name) {
  return person.page.getByRole("row").filter({ has: person.page.getByRole("rowheader", { name, exact: true }) });
}

function says(person, name, pattern) {
  return eventually(async () => assert.match(await textOf(row(person, name)), pattern));
}

test("everybody is listed with role, state and last sign-in", async (t) => {
  const { dave } = await admin(t);
  await says(dave, "alice", /^AL alice member active (Last sign-in )?never Invite alice/);
  await says(dave, "bob", /^BO bob member no password never/);
  await says(dave, "carol", /auditor by users\.txt no password/);
  await says(dave, "dave", /admin by users\.txt active \d\d:\d\d Invite dave$/);
  await says(dave, "promon", /admin by HC_USER active never$/);
});

test("an invitation is copied, opened elsewhere, and lets its user choose a password once", async (t) => {
  const { server, people, dave } = await admin(t);
  await dave.button("Invite bob").click();
  const link = await dave.dialog.getByLabel("Link").inputValue();
  assert.ok(link.startsWith(`${server.url}/invite/`), link);
  await dave.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await dave.dialog.getByRole("button", { name: "Copy" }).click();
  await dave.dialog.getByText("Copied.").waitFor();
  assert.equal(await dave.page.evaluate(() => navigator.clipboard.readText()), link);
  await dave.dialog.getByRole("button", { name: "Close" }).click();
  await says(dave, "bob", /no password invited until/);
  const bob = await people.comes("bob");
  await bob.opens(link);
  await bob.page.getByRole("heading", { name: "Welcome, bob" }).waitFor();
  await chooses(bob, "password1");
  assert.match(await textOf(bob.page.getByRole("alert")), /everybody tries first/);
  await chooses(bob, PASSWORD, "another one");
  assert.match(await textOf(bob.page.getByRole("alert")), /differ/);
  await chooses(bob, PASSWORD);
  await bob.isLive();
  await bob.opens(link);
  await bob.page.getByRole("heading", { name: "This invitation has ended" }).waitFor();
  await dave.page.reload();
  await says(dave, "bob", /active \d\d:\d\d/);
});

test("all who have no password are invited at once", async (t) => {
  const { dave } = await admin(t);
  await dave.page.getByRole("button", { name: /Invite all without a password \(2\)/ }).click();
  const links = (await dave.dialog.getByRole("textbox").inputValue()).split("\n");
  assert.deepEqual(links.map((line) => line.split("\t")[0]), ["bob", "carol"]);
  await dave.presses("Escape");
  await dave.leftDialog();
  await says(dave, "carol", /invited until/);
});

test("an account is added, gets a role, is disabled with a reason, and is enabled again", async (t) => {
  const { server, people, dave } = await admin(t);
  await dave.button("Add account").click();
  await dave.keyboard.type("alice");
  await dave.presses("Enter");
  await eventually(async () => assert.match(await textOf(dave.dialog.getByRole("alert")), /There is an account alice already\./));
  await dave.dialog.getByLabel("Name").fill("erin");
  await dave.dialog.getByRole("button", { name: "Add account" }).click();
  await says(dave, "erin", /member no password never/);
  await dave.button("Role of alice").click();
  await dave.dialog.getByRole("radio", { name: /auditor/ }).click();
  await dave.dialog.getByRole("button", { name: "Save role" }).click();
  await says(dave, "alice", /auditor active/);
  const alice = await people.signIn("alice");
  await dave.button("Disable alice").click();
  await dave.keyboard.type("left us");
  await dave.presses("Enter");
  await says(dave, "alice", /disabled left us \(dave\)/);
  await alice.page.waitForURL(/\/login/);
  await alice.signsIn();
  assert.match(await textOf(alice.page.getByRole("alert")), /User or password is wrong/);
  await dave.button("Enable alice").click();
  await says(dave, "alice", /auditor active/);
  assert.ok(await server.token("alice"));
});

test("search and filters choose who is in sight", async (t) => {
  const { dave } = await admin(t);
  const names = () => dave.page.getByRole("table", { name: "Accounts" }).getByRole("rowheader").allInnerTexts();
  await dave.filters("No password");
  await eventually(async () => assert.equal((await names()).length, 2));
  await dave.filters("All");
  await dave.page.getByRole("searchbox", { name: "Search people" }).fill("CAR");
  await eventually(async () => assert.match((await names()).join(), /^[^,]*carol$/));
  assert.match(await textOf(dave.page.getByRole("main")), /1 of 5 accounts shown/);
});

test("a token is made, shown once, works, and is revoked", async (t) => {
  const { server, dave } = await admin(t);
  await dave.button("Make a token").click();
  await dave.keyboard.type("nightly backup");
  await dave.dialog.getByLabel("Account as which it acts").selectOption("alice");
  await dave.dialog.getByRole("button", { name: "Make token" }).click();
  await eventually(async () => assert.match(await textOf(dave.dialog.getByRole("alert")), /at least one scope/));
  await dave.dialog.getByRole("checkbox", { name: /^board/ }).click();
  await dave.dialog.getByLabel("Last day").fill("2028-02-29");
  await dave.dialog.getByRole("button", { name: "Make token" }).click();
  const token = await dave.dialog.getByLabel("Token").inputValue();
  assert.match(token, /^vpn_/);
  await dave.dialog.getByRole("button", { name: "Close" }).click();
  await dave.leftDialog();
  assert.doesNotMatch(await dave.page.content(), new RegExp(token));
  await says(dave, "nightly backup", /alice board 29 Feb 2028 not since the start/);
  const status = async () => (await fetch(`${server.url}/api/v1/connections`, { headers: { "x-access-tokens": token } })).status;
  assert.equal(await status(), 200);
  await dave.button("Revoke nightly backup").click();
  await dave.dialog.getByRole("button", { name: "Revoke token" }).click();
  await dave.page.getByText("None. A program").waitFor();
  assert.equal(await status(), 401);
});

test("the page is worked by keyboard, and a dialog gives the keyboard back", async (t) => {
  const { dave } = await admin(t);
  await dave.button("Disable alice").focus();
  await dave.presses("Enter");
  await dave.dialog.waitFor();
  await dave.hasFocusOn("");
  assert.equal(await dave.page.evaluate(() => document.activeElement.maxLength), 200, "on the reason");
  await dave.presses("Escape");
  await dave.leftDialog();
  await dave.hasFocusOn("Disable alice");
});

test("one sees where one is signed in, and signs out there", async (t) => {
  const { people } = await open(t, { access: "password", passwords: ["alice"] });
  const [alice, elsewhere] = [await people.signIn("alice"), await people.signIn("alice")];
  await alice.accountMenu.click();
  await alice.button("Where I am signed in").click();
  const entries = alice.dialog.getByRole("listitem");
  await eventually(async () => assert.equal(await entries.count(), 2));
  assert.match(await textOf(alice.dialog), /this one.*From 127\.0\.0\.1, since/);
  await alice.dialog.getByRole("button", { name: /^Sign out/ }).click();
  await eventually(async () => assert.equal(await entries.count(), 1));
  await elsewhere.page.waitForURL(/\/login/);
  await alice.presses("Escape");
  await alice.leftDialog();
  await alice.isLive();
});

test("who is no admin is shown no way there", async (t) => {
  const { people } = await open(t, { access: "password", passwords: ["alice"] });
  const alice = await people.signIn("alice");
  assert.equal(await alice.page.getByRole("link", { name: "People" }).count(), 0);
  await alice.opens("/people");
  await alice.page.getByRole("heading", { name: "Not for you" }).waitFor();
});

async function chooses(person, password, again = password) {
  await person.page.getByLabel("Choose a password").fill(password);
  await person.page.getByLabel("The same again").fill(again);
  await person.button("Sign in").click();
}
