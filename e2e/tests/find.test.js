/** Searching and filtering. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const CONNECTIONS = `Klinikum Ulm;PACS Nord
Klinikum Ulm;HIS Produktion
Stadtwerke Jena;Leitsystem Strom
Stadtwerke Jena;Fernwärme SCADA
Hafen Rostock;Zutritt;2
`;
const [PACS, HIS, STROM, HEAT, PORT] = [
  "Klinikum Ulm PACS Nord",
  "Klinikum Ulm HIS Produktion",
  "Stadtwerke Jena Leitsystem Strom",
  "Stadtwerke Jena Fernwärme SCADA",
  "Hafen Rostock Zutritt",
];

test("the search narrows the list with each letter, by names, people and notes", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await bob.checks(PORT);
  await bob.notes(PORT, "INC-48213 Badge readers");
  await alice.sees(PORT, "bob");
  for (const [text, found] of [
    ["k", [PACS, HIS, STROM, HEAT, PORT]],
    ["kl", [PACS, HIS]],
    ["Klinikum nord", [PACS]],
    ["nord ULM", [PACS]],
    ["fernwarme", [HEAT]],
    ["bob", [PORT]],
    ["48213", [PORT]],
    ["badge", [PORT]],
  ]) {
    await alice.search.fill("");
    await alice.search.pressSequentially(text);
    await alice.seesExactly(...found);
  }
});

test("what is found says its whole name, and a search without hits says so and can be undone", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const alice = await people.signIn("alice");
  await alice.search.fill("scada");
  await alice.seesExactly(HEAT);
  assert.match(await textOf(alice.row(HEAT)), /^Stadtwerke Jena Fernwärme SCADA/);
  assert.match(await textOf(alice.page.getByRole("main")), /1 of 5 shown/);
  await alice.search.fill("nothing like it");
  await alice.page.getByRole("heading", { name: "Nothing to show" }).waitFor();
  assert.match(await textOf(alice.page.getByRole("main")), /“nothing like it”/);
  await alice.button("Show all").click();
  await alice.seesExactly(PACS, HIS, STROM, HEAT, PORT);
});

test("a search finds lines of folded groups, and folding is as before after it", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const alice = await people.signIn("alice");
  await alice.heading("Klinikum Ulm").click();
  await alice.search.fill("pacs");
  await alice.seesExactly(PACS);
  await alice.search.fill("");
  await alice.seesExactly(STROM, HEAT, PORT);
});

test("mine and in use show what they say, and follow what happens", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(PACS);
  await bob.checks(STROM);
  await alice.filters("In use");
  await alice.seesExactly(PACS, STROM);
  await alice.filters("Mine");
  await alice.seesExactly(PACS);
  await alice.filters("In use");
  await bob.checks(PORT);
  await bob.unchecks(STROM);
  await alice.seesExactly(PACS, PORT);
  await alice.filters("All");
  await alice.seesExactly(PACS, HIS, STROM, HEAT, PORT);
});

test("the filters tell how many there are, and which is chosen", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(PACS);
  await bob.checks(STROM);
  const buttons = alice.page.getByRole("group", { name: "Show" }).getByRole("button");
  const said = async () => (await buttons.all()).map(textOf);
  await eventually(async () => assert.deepEqual(await Promise.all(await said()), ["All 5", "In use 2", "Mine 1"]));
  await alice.filters("Mine");
  const pressed = await buttons.evaluateAll((all) => all.map((button) => button.getAttribute("aria-pressed")));
  assert.deepEqual(pressed, ["false", "false", "true"]);
});

test("an empty filter says why", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const alice = await people.signIn("alice");
  await alice.filters("Mine");
  assert.match(await textOf(alice.page.getByRole("main")), /You are on no connection\./);
  await alice.filters("In use");
  assert.match(await textOf(alice.page.getByRole("main")), /Nobody is on any connection\./);
});

test("a search and a filter hold together", async (t) => {
  const { people } = await open(t, { connections: CONNECTIONS });
  const alice = await people.signIn("alice");
  await alice.checks(PACS, PORT);
  await alice.filters("Mine");
  await alice.search.fill("rostock");
  await alice.seesExactly(PORT);
});
