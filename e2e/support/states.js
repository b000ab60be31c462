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
  await people(team, visit);
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

async function people({ server, people: all }, visit) {
  const dave = await all.signIn("dave");
  await dave.accountMenu.click();
  await dave.button("Where I am signed in").click();
  await dave.dialog.getByText("this one").waitFor();
  await visit("sign-ins", dave);
  await leave(dave);
  for (const name of ["gabriel", "hanna"]) await dave.page.context().request.post("/api/v1/accounts", { data: { name } });
  await dave.opens("/people");
  await dave.button("Add account").click();
  await visit("people-add", dave);
  await dave.dialog.getByLabel("Name").fill("Friederike");
  await dave.presses("Enter");
  await dave.leftDialog();
  await dave.button("Disable Friederike").click();
  await dave.dialog.getByLabel("Reason").fill("Left for another company at the end of November");
  await visit("people-disable", dave);
  await dave.presses("Enter");
  await dave.page.getByText("disabled", { exact: true }).waitFor();
  await dave.button("Make a token").click();
  await dave.keyboard.type("Monitoring of the data centre");
  await dave.dialog.getByRole("checkbox", { name: /^messages/ }).click();
  await visit("people-make-token", dave);
  await dave.dialog.getByRole("button", { name: "Make token" }).click();
  await dave.dialog.getByLabel("Token").waitFor();
  await visit("people-token", dave);
  await leave(dave);
  await dave.page.getByRole("button", { name: /^Invite all/ }).click();
  await dave.dialog.getByRole("textbox").waitFor();
  const links = await dave.dialog.getByRole("textbox").inputValue();
  await visit("people-invited", dave);
  await leave(dave);
  await visit("people", dave);
  const guest = await all.comes("guest");
  await guest.opens(`${server.url}${links.split("\n")[0].split("\t")[1].replace(/^.*?(?=\/invite)/, "")}`);
  await visit("invite", guest);
  await guest.opens("/invite/none");
  await visit("invite-ended", guest);
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
