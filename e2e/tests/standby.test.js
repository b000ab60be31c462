/** A page that comes to a server which stands by gets through by itself. */

import { test } from "node:test";
import { open } from "../support/world.js";

test("pages wait while their server stands by, and go on by themselves when it takes over", async (t) => {
  const { server, people } = await open(t);
  const alice = await people.signIn("alice");
  await server.stop();
  const other = await server.beside();
  t.after(() => other.stop());
  await server.start();
  const bob = await people.comes("bob");
  await bob.opens("/");
  await bob.page.getByRole("heading", { name: "One moment" }).waitFor();
  await other.stop();
  await bob.page.waitForURL(/\/login/);
  await bob.signsIn();
  await bob.isLive();
  await alice.isLive();
});
