/** Notes, and taking over. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";
const ROOMY = "vpn main 3 jump host";

test("a note is seen by all, changed by its holder, and ends with the session", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(LINE);
  await alice.notes(LINE, "INC-48213 Certificate renewal");
  await bob.seesInRow(LINE, /INC-48213 Certificate renewal/);
  assert.equal(await bob.row(LINE).getByRole("button", { name: /note/ }).count(), 0, "it is alice's");
  await alice.button(`Edit note on ${LINE}`).click();
  assert.equal(await alice.dialog.getByRole("textbox").inputValue(), "INC-48213 Certificate renewal");
  await alice.button("Cancel").click();
  await alice.notes(LINE, "CHG-1");
  await bob.seesInRow(LINE, /CHG-1/);
  await alice.notes(LINE, "");
  await alice.button(`Add note on ${LINE}`).waitFor();
  await alice.notes(LINE, "again");
  await alice.unchecks(LINE);
  await alice.checks(LINE);
  assert.doesNotMatch(await textOf(alice.row(LINE)), /again/);
});

test("taking over asks, naming the holder, since when and why", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(LINE);
  await alice.notes(LINE, "INC-1 Stalls");
  await bob.button(`Take over ${LINE}`).click();
  await bob.dialog.getByRole("heading", { name: "Take over from alice?" }).waitFor();
  const said = await textOf(bob.dialog);
  assert.match(said, /vpn main 1 vpn sub 1/);
  assert.match(said, /alice Since \d\d:\d\d, for \d+ s Note INC-1 Stalls/);
  assert.match(said, /taken over by bob/);
  await bob.button("Cancel").click();
  await bob.leftDialog();
  await alice.isOn(LINE);
});

test("a take-over works, tells who lost, and is in the report", async (t) => {
  const { server, people } = await open(t);
  const [alice, bob, carol] = [await people.signIn("alice"), await people.signIn("bob"), await people.signIn("carol")];
  await alice.checks(LINE);
  await bob.button(`Take over ${LINE}`).click();
  await bob.dialog.getByRole("textbox").fill("urgent");
  await bob.dialog.getByRole("button", { name: "Take over" }).click();
  await bob.isOn(LINE);
  await bob.seesInRow(LINE, /urgent/);
  await bob.isTold(/vpn main 1 vpn sub 1 is yours/);
  await carol.sees(LINE, "bob");
  await alice.isTold(/bob is on vpn main 1 vpn sub 1 now, and your session has ended/);
  await alice.isNotOn(LINE);
  await eventually(async () => {
    const [content] = [...(await server.reports()).values()];
    assert.match(String(content), /vpn main 1,vpn sub 1,alice,[^,]+,[^,]+,\d+,taken-over:bob,/);
  });
});

test("where several are on it, the question is from whom", async (t) => {
  const { people } = await open(t);
  const [alice, bob, carol] = [await people.signIn("alice"), await people.signIn("bob"), await people.signIn("carol")];
  await alice.checks(ROOMY);
  await bob.checks(ROOMY);
  await carol.sees(ROOMY, "alice", "bob");
  await carol.button(`Take over ${ROOMY}`).click();
  await carol.dialog.getByRole("group", { name: "From whom" }).getByRole("radio", { name: /bob/ }).check();
  assert.match(await textOf(carol.dialog), /bob’s session ends and yours begins/);
  await carol.dialog.getByRole("button", { name: "Take over" }).click();
  await carol.isOn(ROOMY);
  await carol.sees(ROOMY, "alice", "carol");
  await bob.isTold(/carol is on vpn main 3 jump host now/);
});

test("who changed under the question is not taken over by mistake", async (t) => {
  const { people } = await open(t);
  const [alice, bob, carol] = [await people.signIn("alice"), await people.signIn("bob"), await people.signIn("carol")];
  await alice.checks(LINE);
  await carol.sees(LINE, "alice");
  await carol.button(`Take over ${LINE}`).click();
  await bob.sees(LINE, "alice");
  await bob.takesOver(LINE);
  await eventually(async () => assert.match(await textOf(carol.dialog.getByRole("alert")), /On vpn main 1 vpn sub 1 now: bob/));
  const send = carol.dialog.getByRole("button", { name: "Take over" });
  assert.equal(await send.getAttribute("aria-disabled"), "true");
  await send.click({ force: true });
  await bob.isOn(LINE);
  await carol.sees(LINE, "bob");
});

test("a note that is too long is not lost: the field takes what fits", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.checks(LINE);
  await alice.button(`Add note on ${LINE}`).click();
  await alice.dialog.getByRole("textbox").pressSequentially("ä".repeat(510), { delay: 0 });
  await alice.dialog.getByRole("button", { name: "Save note" }).click();
  await alice.leftDialog();
  await alice.seesInRow(LINE, /ä{500}/);
});
