/** The weekly reports, as auditors see them. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PAST_WEEKS, reportOf } from "../support/reports.js";
import { textOf } from "../support/person.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";

/** An auditor, and weeks that lie on the share from before. */
async function auditor(t, weeks = PAST_WEEKS) {
  const { server, people } = await open(t, { access: "password", passwords: ["alice", "carol"] });
  for (const [name, content] of Object.entries(weeks)) await writeFile(join(server.auditFolder, name), content);
  const carol = await people.signIn("carol");
  await carol.page.getByRole("link", { name: "Audit" }).click();
  return { server, people, carol };
}

test("the weeks stand newest first, with their days, rows and sizes", async (t) => {
  const { carol } = await auditor(t);
  await eventually(async () => {
    const weeks = await Promise.all((await weekItems(carol).all()).map(textOf));
    assert.deepEqual(weeks, [
      "2026-W44 26 Oct – 1 Nov CSV of 2026-W44 3 rows · 431 bytes",
      "2026-W43 19–25 Oct CSV of 2026-W43 450 rows · 38.9 kB",
    ].map((text, at) => text.replace(/\d+ bytes|\d+\.\d kB/, sizeIn(Object.values(PAST_WEEKS)[at]))));
  });
});

test("a week is a table, newest row first, in the words that the file has", async (t) => {
  const { carol } = await auditor(t);
  await carol.page.getByRole("heading", { name: "Week 44, 26 October – 1 November 2026" }).waitFor();
  const rows = table(carol).getByRole("row");
  assert.equal(await textOf(rows.nth(0)), "Main Sub User Connected Disconnected Duration Ended by Note");
  assert.match(await textOf(rows.nth(1)), /^vpn main 1 vpn sub 2 BO bob Sat 31 23:50 Sun 1 00:20 0:30 taken over by alice INC-2$/);
  assert.match(await textOf(rows.nth(2)), /^vpn main 1 vpn sub 1 AL alice Thu 29 09:00 10:30 1:30 alice =SUM\(1\)$/);
  assert.match(await textOf(rows.nth(3)), /^<b>x<\/b> "quoted", comma AL alice Mon 26 08:00 08:00 12 s admin dave$/);
  assert.equal(await rows.count(), 4);
});

test("all columns are in sight without scrolling sideways, also with long names", async (t) => {
  const row = [
    "Verkehrsverbund Oberlausitz-Niederschlesien",
    "Fahrgastinformation Bahnhofsvorplatz",
    "Maximiliane von Hohenberg-Sassen",
    "2026-10-29T09:00:00+01:00,2026-10-30T10:30:00+01:00,91800",
    "taken-over:Maximiliane von Hohenberg-Sassen",
    "A note that tells the whole story of this afternoon",
    "s-1",
  ].join();
  const { carol } = await auditor(t, { "audit-2026-W44.csv": reportOf([row]) });
  await table(carol).waitFor();
  for (const width of [1280, 1440]) {
    await carol.page.setViewportSize({ width, height: 800 });
    const { right } = await table(carol).evaluate((element) => element.getBoundingClientRect());
    assert.ok(right <= width, `the table ends at ${right} in a window of ${width} px`);
  }
});

test("another week is chosen by its link, which can be kept", async (t) => {
  const { server, carol } = await auditor(t);
  await carol.page.getByRole("link", { name: "2026-W43", exact: true }).click();
  await carol.page.getByRole("heading", { name: "Week 43, 19–25 October 2026" }).waitFor();
  assert.equal(carol.page.url(), `${server.url}/audit#2026-W43`);
  await carol.page.reload();
  await carol.page.getByRole("heading", { name: "Week 43, 19–25 October 2026" }).waitFor();
});

test("a long week comes in pages, and the search looks through all of it", async (t) => {
  const { carol } = await auditor(t);
  await carol.page.getByRole("link", { name: "2026-W43", exact: true }).click();
  await eventually(async () => assert.equal(await table(carol).getByRole("row").count(), 201));
  await carol.button("Oldest").click();
  await eventually(async () => assert.equal(await table(carol).getByRole("row").count(), 51));
  await carol.page.getByRole("searchbox", { name: "Search in this week" }).fill("INC-1007");
  await eventually(async () => assert.match(await textOf(carol.page.getByRole("main")), /1 of 450 rows found/));
  assert.match(await textOf(table(carol).getByRole("row").nth(1)), /INC-1007/);
});

test("a download is the file on the share, byte by byte", async (t) => {
  const { server, carol } = await auditor(t);
  for (const week of ["2026-W44", "2026-W43"]) {
    const [download] = await Promise.all([
      carol.page.waitForEvent("download"),
      carol.page.getByRole("link", { name: `CSV of ${week}` }).click(),
    ]);
    const name = `audit-${week}.csv`;
    assert.equal(download.suggestedFilename(), name);
    const [got, kept] = await Promise.all([readFile(await download.path()), readFile(join(server.auditFolder, name))]);
    assert.ok(got.equals(kept), name);
  }
});

test("notes, take-overs and harmful cells reach the report of the week as they should", async (t) => {
  const { server, people, carol } = await auditor(t, {});
  const alice = await people.signIn("alice");
  await alice.checks(LINE);
  await alice.notes(LINE, '=HYPERLINK("x"), "y"');
  await alice.unchecks(LINE);
  const [name, content] = await eventually(async () => {
    const [report] = [...(await server.reports())];
    assert.match(String(report?.[1]), /alice/);
    return report;
  });
  assert.ok(content.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])), "a byte order mark");
  assert.match(String(content), /,alice,"'=HYPERLINK\(""x""\), ""y""",[^,]+\r\n$/);
  await carol.page.reload();
  await table(carol).waitFor();
  assert.match(await textOf(table(carol)), /alice =HYPERLINK\("x"\), "y"$/);
  assert.match(await textOf(weekItems(carol).first()), new RegExp(`^${name.slice(6, 14)} .* 1 row ·`));
});

test("an audit without any report says so", async (t) => {
  const { carol } = await auditor(t, {});
  await carol.page.getByRole("heading", { name: "No sessions have ended yet" }).waitFor();
  await carol.page.getByRole("link", { name: "To the board" }).click();
  await carol.isLive();
});

test("while the share is away the ledger tells, and the page says that the file is not there", async (t) => {
  const { server, people, carol } = await auditor(t, {});
  const alice = await people.signIn("alice");
  await alice.checks(LINE);
  await alice.unchecks(LINE);
  await eventually(async () => assert.match(String([...(await server.reports()).values()][0]), /alice/));
  await server.losesShare();
  await carol.page.reload();
  await eventually(async () => assert.match(await textOf(weekItems(carol).first()), /1 row · .* not on the share yet/));
  assert.match(await textOf(table(carol)), /alice/);
});

test("the end of the sign-in shows on the audit page at the next question", async (t) => {
  const { carol } = await auditor(t);
  const tab = await carol.another("/");
  await tab.signsOut();
  await carol.page.getByRole("link", { name: "2026-W43", exact: true }).click();
  await carol.page.waitForURL(/\/login\?next=/);
  await carol.signsIn();
  await carol.page.getByRole("heading", { name: "Week 43, 19–25 October 2026" }).waitFor();
});

test("a file whose columns are not ours is shown as it is", async (t) => {
  const { carol } = await auditor(t, { "audit-2026-W40.csv": "who,what\r\nalice,came\r\n" });
  await carol.page.getByRole("heading", { name: /Week 40/ }).waitFor();
  await eventually(async () => assert.match(await textOf(table(carol)), /who what alice came$/));
});

function weekItems(person) {
  return person.page.getByRole("region", { name: "Weekly reports" }).getByRole("listitem");
}

function table(person) {
  return person.page.getByRole("table", { name: /newest rows first/ });
}

function sizeIn(content) {
  const bytes = Buffer.byteLength(content);
  return bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(1)} kB`;
}
