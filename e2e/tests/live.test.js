/** The board says at every moment whether it is live, and comes back by itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../support/person.js";
import { eventually, SLACK_MS, timed } from "../support/wait.js";
import { open } from "../support/world.js";

const [ONE, TWO] = ["vpn main 1 vpn sub 1", "vpn main 1 vpn sub 2"];

/** How soon a closed socket shows, and how soon a board is live again, in ms: the promise. */
const STALE_WITHIN_MS = 3000;
const LIVE_WITHIN_MS = 2000;

test("the board comes by a WebSocket, and by polling where something on the way swallows those", async (t) => {
  const { people } = await open(t);
  const [alice, bob] = [await people.comes("alice"), await people.comes("bob")];
  const opened = alice.page.waitForEvent("websocket");
  await bob.page.routeWebSocket(/\/socket\.io\//, () => undefined);
  for (const person of [alice, bob]) {
    await person.opens("/login");
    await person.signsIn();
  }
  await alice.isLive();
  assert.equal((await opened).isClosed(), false);
  const took = await timed(() => bob.isLive());
  t.diagnostic(`live by polling after ${Math.round(took)} ms`);
  await bob.checks(ONE);
  await alice.sees(ONE, "bob");
});

test("a server that is gone shows within 3 s, in the rows themselves", async (t) => {
  const { server, people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await bob.checks(ONE);
  await alice.checks(TWO);
  await alice.sees(ONE, "bob");
  const live = await looks(alice);

  const took = await timed(async () => {
    await server.cut();
    await alice.turnsStale();
  });
  t.diagnostic(`stale after ${Math.round(took)} ms`);
  assert.ok(took < STALE_WITHIN_MS + SLACK_MS);

  await isStale(alice);
  const stale = await looks(alice);
  assert.notDeepEqual(stale.rows, live.rows, "the rows look as if they were live");
  assert.notEqual(stale.box, live.box, "the boxes look as if they were live");
  assert.notEqual(stale.name, live.name, "my row looks as if it were live");
});

test("a server that is silent shows as soon as it must have been heard", async (t) => {
  const settings = "[socket]\nping_interval_ms = 300\nping_timeout_ms = 700\n";
  const { server, people } = await open(t, { settings });
  const alice = await people.signIn("alice");
  await alice.marksPage();
  const took = await timed(async () => {
    server.freeze();
    await alice.turnsStale();
  });
  t.diagnostic(`stale after ${Math.round(took)} ms of at most 1000`);
  assert.ok(took < 1000 + SLACK_MS);
  await isStale(alice);
  server.thaw();
  const back = await timed(() => alice.turnsLive());
  t.diagnostic(`live again after ${Math.round(back)} ms`);
  assert.ok(back < LIVE_WITHIN_MS + SLACK_MS);
  await alice.hasSamePage();
});

test("nothing can be changed while it is not live, and that is said", async (t) => {
  const { server, people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.checks(TWO);
  await bob.checks(ONE);
  await alice.sees(ONE, "bob");
  await server.cut();
  await isStale(alice);
  await alice.tries("vpn main 2 vpn sub 1");
  await alice.isTold(/Not live/);
  assert.equal(await alice.box("vpn main 2 vpn sub 1").isChecked(), false);
  await alice.tries(TWO);
  assert.equal(await alice.box(TWO).isChecked(), true);
  for (const name of [`Take over ${ONE}`, `Add note on ${TWO}`, `Uncheck ${TWO}`]) {
    assert.equal(await alice.button(name).getAttribute("aria-disabled"), "true", name);
    await alice.button(name).click({ force: true });
    assert.equal(await alice.dialog.count(), 0);
  }
  await alice.sees(TWO, "alice");
});

test("times stand still as moments while it is not live, and looking goes on", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.checks(ONE);
  await server.cut();
  await isStale(alice);
  await alice.seesInRow(ONE, /alice \d\d:\d\d/);
  assert.match(await textOf(alice.page.getByRole("main")), /On it at \d\d:\d\d Since/);
  await alice.filters("Mine");
  await alice.seesExactly(ONE);
  await alice.filters("All");
  await alice.search.fill("jump");
  await alice.seesExactly("vpn main 3 jump host");
  await alice.search.fill("");
  await alice.heading("vpn main 1").click();
  await alice.box(ONE).waitFor({ state: "hidden" });
});

test("it comes back within 2 s, without a reload, and knows what happened meanwhile", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.marksPage();
  await alice.checks(ONE);
  const title = await alice.title();
  await server.cut();
  await isStale(alice);
  await server.start();
  const back = await timed(() => alice.turnsLive());
  t.diagnostic(`live again after ${Math.round(back)} ms`);
  assert.ok(back < LIVE_WITHIN_MS + SLACK_MS);
  await alice.isOn(ONE);
  await alice.checks(TWO);
  await alice.hasSamePage();
  assert.equal(await alice.title(), title);
  assert.equal(await alice.banner.count(), 0);
});

test("what others did while a page was away is there when it is back", async (t) => {
  const { server, people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await alice.marksPage();
  await server.cut();
  await isStale(alice);
  await alice.page.context().setOffline(true);
  await server.start();
  await bob.isLive();
  await bob.checks(ONE);
  assert.equal(await alice.banner.isVisible(), true);
  await alice.page.context().setOffline(false);
  await alice.sees(ONE, "bob");
  await alice.isLive();
  await alice.hasSamePage();
});

test("a page that is opened while the server stops gets there by itself", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await server.cut();
  await isStale(alice);
  assert.match(await alice.title(), /^\((Reconnecting…|Offline)/);
  await server.start();
  await alice.isLive();
  await server.stop();
  await isStale(alice);
  await server.start();
  await alice.isLive();
});

test("a network that is gone is called offline at once", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await server.cut();
  await isStale(alice);
  await alice.page.context().setOffline(true);
  await eventually(async () => assert.match(await textOf(alice.banner), /^Offline since \d\d:\d\d\./));
  assert.match(await alice.title(), /^\(Offline since \d\d:\d\d\)/);
});

async function isStale(person) {
  await eventually(async () => assert.match(await textOf(person.banner), /may be wrong/));
  await eventually(async () => assert.match(await person.title(), /^\((Reconnecting…|Offline)/));
  assert.match(await textOf(person.page.getByRole("banner")), /Reconnecting…|Offline/);
  for (const box of await person.page.getByRole("main").getByRole("checkbox").all()) {
    assert.equal(await box.getAttribute("aria-disabled"), "true");
  }
}

/** How my row is painted. */
function looks(person) {
  return person.box(TWO).evaluate((box) => {
    const row = box.closest("li");
    const paint = (element) => {
      const { backgroundImage, backgroundColor, color, borderStyle, fontWeight } = getComputedStyle(element);
      return [backgroundImage, backgroundColor, color, borderStyle, fontWeight].join();
    };
    return { rows: [paint(row), paint(row.parentElement)], box: paint(box), name: paint(row.querySelector(".sub")) };
  });
}
