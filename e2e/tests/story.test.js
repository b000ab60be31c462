/** The whole job: two people at the board, and the auditor after them. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";

test("what one checks the other sees at once, and its end is in the week's report", async (t) => {
  const { server, people } = await open(t, { access: "password", passwords: ["alice", "bob", "carol"] });
  const [alice, bob] = [await people.comes("alice"), await people.comes("bob")];
  for (const person of [alice, bob]) {
    await person.opens("/");
    await person.signsIn();
    await person.isLive();
  }

  await alice.checks(LINE);
  await bob.sees(LINE, "alice");
  await alice.unchecks(LINE);
  await bob.seesFree(LINE);

  const [name, content] = await eventually(() => theReport(server));
  const [header, row, ...rest] = content.toString("utf8").replace(/^\uFEFF/, "").split("\r\n");
  assert.equal(header, "main,sub,user,connected_at,disconnected_at,duration_s,ended_by,note,session_id");
  assert.match(row, /^vpn main 1,vpn sub 1,alice,\S+,\S+,\d+,alice,,\S+$/);
  assert.deepEqual(rest, [""]);
  await auditorFetches(await people.signIn("carol"), name, content);
});

async function auditorFetches(carol, name, content) {
  await carol.page.getByRole("link", { name: "Audit" }).click();
  const weeks = carol.page.getByRole("region", { name: "Weekly reports" });
  await eventually(async () => assert.match(await textOf(weeks), new RegExp(`1 row · ${content.length} bytes`)));
  const table = carol.page.getByRole("table", { name: /newest rows first/ });
  await table.getByRole("row").filter({ hasText: "alice" }).waitFor();

  const [download] = await Promise.all([
    carol.page.waitForEvent("download"),
    carol.page.getByRole("link", { name: "CSV", exact: true }).click(),
  ]);
  assert.equal(download.suggestedFilename(), name);
  assert.deepEqual(await readFile(await download.path()), content);
}

async function theReport(server) {
  const reports = [...(await server.reports())];
  assert.equal(reports.length, 1, "one week has a report");
  assert.match(reports[0][0], /^audit-\d{4}-W\d{2}\.csv$/);
  assert.match(String(reports[0][1]), /alice/);
  return reports[0];
}
