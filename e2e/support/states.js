/** Every page in every state that people may find it in, one after the other. */

import { ageSessions, openTeam } from "./team.js";

/**
 * @param open makes a server and its people; takes what `Server.start` takes
 * @param visit is given each state's name and whoever looks at it
 */
export async function showAll(open, visit) {
  const team = await openTeam(open);
  await doors(team, visit);
  const bob = await atTheBoard(team, "bob");
  await board(bob, visit);
  await dialogs(bob, visit);
  await forbidden(bob, visit);
  await audit(team, visit);
  await findings(team, visit);
  await notLive(team, bob, visit);
  await nothingYet(open, visit);
}

async function doors({ people }, visit) {
  const bob = await people.comes("bob");
  await bob.opens("/login");
  await visit("login", bob);
  await bob.signsIn("not the right one");
  await bob.page.getByRole("alert").waitFor();
  await visit("login-error", bob);
}

async function board(bob, visit) {
  await bob.tries("vpn main 1 vpn sub 1");
  await bob.isTold(/is held by alice/);
  await visit("board", bob);
  await bob.accountMenu.click();
  await visit("board-menu", bob);
  await bob.accountMenu.click();
  await bob.filters("In use");
  await visit("board-in-use", bob);
  await bob.filters("All");
  await bob.search.fill("leit");
  await visit("board-search", bob);
  await bob.search.fill("nowhere");
  await visit("board-nothing-found", bob);
  await bob.search.fill("");
  await bob.button("Fold all").click();
  await visit("board-folded", bob);
  await bob.button("Unfold all").click();
  await bob.box("Hafen Rostock Altsystem").scrollIntoViewIfNeeded();
  await visit("board-end", bob);
  await bob.page.evaluate(() => scrollTo(0, 0));
}

async function dialogs(bob, visit) {
  await bob.button("Take over Klinikum Ulm PACS Nord").click();
  await bob.dialog.waitFor();
  await visit("take-over", bob);
  await leave(bob);
  await bob.button("Take over Stadtwerke Jena Fernwärme SCADA").click();
  await bob.dialog.waitFor();
  await visit("take-over-several", bob);
  await leave(bob);
  await bob.page.evaluate(() => scrollTo(0, 0));
  await bob.button("Edit note on vpn main 1 vpn sub 3").click();
  await bob.dialog.waitFor();
  await visit("note", bob);
  await leave(bob);
  await bob.presses("?");
  await bob.dialog.waitFor();
  await visit("help", bob);
  await leave(bob);
}

async function forbidden(bob, visit) {
  const tab = await bob.another("/audit");
  await visit("forbidden", tab);
  await tab.page.close();
}

async function audit({ people }, visit) {
  const carol = await people.signIn("carol");
  await carol.opens("/audit#2026-W47");
  await carol.page.getByRole("table").waitFor();
  await visit("audit", carol);
  await carol.page.getByRole("searchbox").fill("taken over");
  await visit("audit-search", carol);
}

async function findings({ server, people }, visit) {
  const dave = await atTheBoard({ people }, "dave");
  await server.save("users.txt", "alice\nalice\n");
  await dave.page.getByText("1 finding", { exact: true }).click();
  await visit("findings", dave);
}

async function notLive({ server }, bob, visit) {
  await server.cut();
  await bob.turnsStale();
  await visit("stale", bob);
  await bob.page.context().setOffline(true);
  await bob.page.waitForFunction(() => document.title.startsWith("(Offline"));
  await visit("offline", bob);
}

async function nothingYet(open, visit) {
  const { people } = await open({ connections: "", passwords: ["carol"] });
  const carol = await people.comes("carol");
  await carol.opens("/login");
  await visit("login-open", carol);
  await carol.signsIn();
  await carol.page.getByRole("heading", { name: "No connections yet" }).waitFor();
  await visit("board-empty", carol);
  await carol.opens("/audit");
  await carol.page.getByRole("heading", { name: "No sessions have ended yet" }).waitFor();
  await visit("audit-empty", carol);
}

async function atTheBoard({ people }, name) {
  const person = await people.comes(name);
  await ageSessions(person.page);
  await person.opens("/login");
  await person.signsIn();
  await person.isLive();
  return person;
}

async function leave(person) {
  await person.presses("Escape");
  await person.leftDialog();
}
