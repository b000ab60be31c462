/** A server and its people for one test; all of it ends with the test. */

import assert from "node:assert/strict";
import { browser } from "./browser.js";
import { People } from "./people.js";
import { Server } from "./server.js";

/** Takes what `Server.start` takes, and a browser where the usual one will not do. */
export async function open(t, options, launched) {
  const server = await Server.start(options);
  const people = new People(launched ?? (await browser()), server);
  t.after(async () => {
    try {
      await people.leave();
    } finally {
      await server.end();
    }
    assert.deepEqual(people.trouble, [], "no page may break its policy, fail, or ask anybody else");
  });
  return { server, people };
}
