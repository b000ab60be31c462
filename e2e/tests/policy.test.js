/** What pages may do: nothing that is not ours. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const LINE = "vpn main 1 vpn sub 1";

test("every page has a strict policy, and nothing inline", async (t) => {
  const { server, people } = await open(t, { access: "password", passwords: ["carol"] });
  const carol = await people.signIn("carol");
  const [{ name, value }] = await carol.page.context().cookies();
  for (const path of ["/", "/audit", "/login", "/nowhere"]) {
    const answer = await fetch(server.url + path, { headers: { cookie: `${name}=${value}` } });
    const policy = policyOf(answer);
    assert.deepEqual(policy["default-src"], ["'none'"], path);
    for (const part of ["script-src", "style-src", "connect-src", "form-action"]) assert.deepEqual(policy[part], ["'self'"], path);
    for (const part of ["base-uri", "frame-ancestors"]) assert.deepEqual(policy[part], ["'none'"], path);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    nothingInline(await answer.text(), path);
  }
});

test("scripts and styles are ours, and kept by browsers for good", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.comes("alice");
  const assets = [];
  alice.page.on("response", (response) => {
    if (response.url().includes("/assets/")) assets.push(response);
  });
  await alice.opens("/login");
  await alice.signsIn();
  await alice.isLive();
  const names = new Set(assets.map((response) => new URL(response.url()).pathname.split("/").at(-1)));
  for (const name of ["theme.js", "style.css", "board.js"]) assert.ok(names.has(name), name);
  for (const response of assets) {
    assert.ok(response.url().startsWith(server.url));
    assert.match(response.headers()["cache-control"], /immutable/);
  }
});

test("the pages in use break nothing: board, dialogs, search, themes, audit, stale", async (t) => {
  const { server, people } = await open(t, { access: "password", passwords: ["alice", "carol"] });
  const [alice, carol] = [await people.signIn("alice"), await people.signIn("carol")];
  for (const person of [alice, carol]) await recordViolations(person.page);
  await alice.checks(LINE);
  await alice.notes(LINE, "INC-1");
  await carol.sees(LINE, "alice");
  await carol.button(`Take over ${LINE}`).click();
  await carol.button("Cancel").click();
  for (const theme of ["Dark", "Light"]) {
    await carol.accountMenu.click();
    await carol.button(theme).click();
    assert.equal(await carol.page.evaluate(() => document.documentElement.dataset.theme), theme.toLowerCase());
    await carol.accountMenu.click();
  }
  await alice.unchecks(LINE);
  await alice.search.fill("jump");
  await server.cut();
  await alice.banner.waitFor();
  for (const person of [alice, carol]) assert.deepEqual(await violations(person.page), []);
  await server.start();
  await carol.opens("/audit");
  await recordViolations(carol.page);
  await eventually(async () => assert.equal(await carol.page.getByRole("table").count(), 1));
  assert.deepEqual(await violations(carol.page), []);
});

test("the chosen colours hold on all pages, from the first moment", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.accountMenu.click();
  await alice.button("Dark").click();
  await alice.page.reload();
  const [theme, background] = await alice.page.evaluate(() => [
    document.documentElement.dataset.theme,
    getComputedStyle(document.body).backgroundColor,
  ]);
  assert.equal(theme, "dark");
  assert.ok(brightness(background) < 60, background);
  await alice.opens("/login");
  assert.equal(await alice.page.evaluate(() => document.documentElement.dataset.theme), "dark");
});

test("without JavaScript the board says what it needs", async (t) => {
  const { people } = await open(t);
  const alice = await people.comes("alice", { javaScriptEnabled: false });
  await alice.opens("/login");
  await alice.signsIn();
  const said = alice.page.locator("noscript p");
  await said.waitFor();
  assert.match(await said.textContent(), /needs JavaScript/);
});

function policyOf(answer) {
  const directives = (answer.headers.get("content-security-policy") ?? "").split(";");
  return Object.fromEntries(directives.map((text) => text.trim().split(/\s+/)).map(([name, ...values]) => [name, values]));
}

function nothingInline(html, path) {
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i, path);
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:/i, path);
  const addresses = [...html.matchAll(/\b(?:src|href|action)="([^"]*)"/g)].map(([, address]) => address);
  for (const address of addresses) assert.match(address, /^[/#](?!\/)/, `${path} names ${address}`);
}

function recordViolations(page) {
  return page.evaluate(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
}

function violations(page) {
  return page.evaluate(() => globalThis.violations);
}

function brightness(colour) {
  const [red, green, blue] = colour.match(/\d+(\.\d+)?/g).map(Number);
  return (red + green + blue) / 3;
}
