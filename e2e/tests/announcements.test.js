/** What a screen reader is told, and what it is spared. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../support/client.js";
import { eventually } from "../support/wait.js";
import { open } from "../support/world.js";

const [ONE, TWO] = ["vpn main 1 vpn sub 1", "vpn main 1 vpn sub 2"];

test("there is one polite live region, and it is there before it says anything", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  const regions = await alice.page.evaluate(() =>
    [...document.querySelectorAll("[role=status], [role=alert], [role=log], [role=timer], [aria-live], output")].map((region) => [
      region.getAttribute("role"),
      region.getAttribute("aria-live"),
    ]),
  );
  assert.deepEqual(regions, [["status", null]], "role=status is polite by itself");
});

test("what one does is said at once", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await alice.checks(ONE);
  await alice.isTold(/vpn main 1 vpn sub 1 is yours/);
  await alice.unchecks(ONE);
  await alice.isTold(/vpn main 1 vpn sub 1 is unchecked/);
});

test("what others do is gathered and said together", async (t) => {
  const { server, people } = await open(t, { passwords: ["bob"] });
  const alice = await people.signIn("alice");
  await listen(alice.page);
  const bob = await Client.connect(t, server, "bob");
  for (const [main, sub] of [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2]]) {
    await bob.check(`vpn main ${main};vpn sub ${sub}`);
  }
  await bob.uncheck("vpn main 1;vpn sub 1");
  await alice.seesFree(ONE);
  const heard = await eventually(async () => {
    const said = await alice.page.evaluate(() => globalThis.heard);
    assert.notEqual(said.length, 0);
    return said;
  });
  assert.equal(heard.length, 1, heard.join(" | "));
  assert.match(heard[0], /6 changes: 5 checked, 1 unchecked, by bob\./);
});

test("a few changes of others are told one by one", async (t) => {
  const { server, people } = await open(t, { passwords: ["bob"] });
  const alice = await people.signIn("alice");
  await listen(alice.page);
  const bob = await Client.connect(t, server, "bob");
  await bob.check("vpn main 1;vpn sub 1");
  await eventually(async () => {
    const heard = await alice.page.evaluate(() => globalThis.heard);
    assert.deepEqual(heard, ["bob is on vpn main 1 vpn sub 1."]);
  });
});

test("no text that runs with the clock is in a live region", async (t) => {
  const { server, people } = await open(t);
  const [alice, bob] = [await people.signIn("alice"), await people.signIn("bob")];
  await bob.checks(ONE);
  await alice.checks(TWO);
  await alice.sees(ONE, "bob");
  await alice.button(`Take over ${ONE}`).click();
  await watchClockwork(alice.page);
  await eventually(async () => assert.ok((await clockwork(alice.page)).changes >= 8, "times run"));
  assert.deepEqual((await clockwork(alice.page)).inLiveRegions, []);
  await alice.button("Cancel").click();
  await server.cut();
  await alice.banner.waitFor();
  assert.equal(await alice.banner.evaluate((banner, live) => banner.closest(live) === null, LIVE), true);
  const times = await alice.page.evaluate((live) => document.querySelectorAll(`:is(${live}) time`).length, LIVE);
  assert.equal(times, 0);
});

test("the loss of the server and its return are said", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await server.cut();
  await alice.isTold(/Not live\. What you see may be wrong/);
  await server.start();
  await alice.isTold(/Live again\./);
});

test("the number of hits is said once typing pauses", async (t) => {
  const { people } = await open(t);
  const alice = await people.signIn("alice");
  await listen(alice.page);
  await alice.search.pressSequentially("jump");
  await eventually(async () => {
    assert.deepEqual(await alice.page.evaluate(() => globalThis.heard), ["1 of 6 shown"]);
  });
});

const LIVE = "[aria-live], [role=status], [role=alert], [role=log], [role=timer], output";

/** Notes down in the page what its live region comes to say. */
function listen(page) {
  return page.evaluate(() => {
    globalThis.heard = [];
    const region = document.querySelector("[role=status]");
    let before = region.textContent;
    new MutationObserver(() => {
      const said = region.textContent;
      if (said !== before && said) globalThis.heard.push(said);
      before = said;
    }).observe(region, { childList: true, characterData: true, subtree: true });
  });
}

/** Notes down each text that changes by itself, and whether it is in a live region. */
function watchClockwork(page) {
  return page.evaluate((live) => {
    globalThis.clockwork = { changes: 0, inLiveRegions: [] };
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
        globalThis.clockwork.changes += 1;
        if (element?.closest(live)) globalThis.clockwork.inLiveRegions.push(element.textContent);
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  }, LIVE);
}

function clockwork(page) {
  return page.evaluate(() => globalThis.clockwork);
}
