/** One user and what they do and see, found by role and name as people and screen readers find it. */

import assert from "node:assert/strict";
import { eventually } from "./wait.js";

export class Person {
  constructor(name, page, server) {
    this.name = name;
    this.page = page;
    this.server = server;
    this.keyboard = page.keyboard;
  }

  // Coming and going.

  opens(path) {
    return this.page.goto(path);
  }

  /** Fills in the form as it stands: with a name typed or picked, and a password where there is one. */
  async signsIn(password = this.server.passwords.get(this.name) ?? "") {
    const list = this.page.getByRole("combobox", { name: "User" });
    if (await list.count()) await list.selectOption(this.name);
    else await this.page.getByRole("textbox", { name: "User" }).fill(this.name);
    await this.page.getByLabel("Password").fill(password);
    await this.button("Sign in").click();
  }

  async signsOut() {
    await this.accountMenu.click();
    await this.button("Sign out").click();
    await this.page.waitForURL(/\/login/);
  }

  /** The same person in one more tab of the same browser. */
  async another(path = "/") {
    const twin = new Person(this.name, await this.page.context().newPage(), this.server);
    await twin.opens(path);
    return twin;
  }

  /** Marks the page, to tell later whether it was loaded anew. */
  async marksPage() {
    await this.page.evaluate(() => (globalThis.marked = true));
  }

  async hasSamePage() {
    assert.equal(await this.page.evaluate(() => globalThis.marked === true), true, "the page was loaded anew");
  }

  // The board.

  box(connection) {
    return this.page.getByRole("checkbox", { name: connection, exact: true });
  }

  row(connection) {
    return this.page.getByRole("listitem").filter({ has: this.box(connection) });
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  heading(name) {
    return this.page.getByRole("button", { name: new RegExp(`^${name}\\s+in use`) });
  }

  get accountMenu() {
    return this.page.getByRole("banner").locator("summary");
  }

  get search() {
    return this.page.getByRole("searchbox", { name: "Search connections, people and notes" });
  }

  get mine() {
    return this.page.getByRole("region", { name: "You are on" });
  }

  get banner() {
    return this.page.getByRole("region", { name: "Connection to the server" });
  }

  get dialog() {
    return this.page.getByRole("dialog");
  }

  /** Checks by a click on the box, and waits for the server's yes. */
  async checks(...connections) {
    for (const connection of connections) {
      await this.box(connection).click();
      await this.isOn(connection);
    }
  }

  /** Clicks a box that says it is disabled: the hand may, and gets an answer. */
  async tries(connection) {
    await this.box(connection).click({ force: true });
  }

  async unchecks(...connections) {
    for (const connection of connections) {
      await this.box(connection).click();
      await this.isNotOn(connection);
    }
  }

  async takesOver(connection) {
    await this.button(`Take over ${connection}`).click();
    await this.dialog.getByRole("button", { name: "Take over" }).click();
    await this.leftDialog();
    await this.isOn(connection);
  }

  /** The dialog is gone, and the board has heard of it. */
  leftDialog() {
    return this.page.locator("dialog").waitFor({ state: "detached" });
  }

  async notes(connection, text) {
    await this.row(connection).getByRole("button", { name: /note on/ }).click();
    await this.dialog.getByRole("textbox").fill(text);
    await this.dialog.getByRole("button", { name: "Save note" }).click();
    await this.leftDialog();
  }

  async filters(name) {
    await this.page.getByRole("group", { name: "Show" }).getByRole("button", { name: new RegExp(`^${name}\\b`) }).click();
  }

  // What they see.

  isLive() {
    return this.page.getByText("Live", { exact: true }).waitFor();
  }

  /** The tab's title begins, or no longer begins, with why it is not live. */
  turnsStale() {
    return this.page.waitForFunction(() => document.title.startsWith("("));
  }

  turnsLive() {
    return this.page.waitForFunction(() => !document.title.startsWith("("));
  }

  async isOn(connection) {
    await eventually(async () => {
      assert.match(await textOf(this.mine), new RegExp(`${connection} since`));
      assert.equal(await this.box(connection).isChecked(), true);
      assert.match(await textOf(this.row(connection)), new RegExp(this.name));
    });
  }

  async isNotOn(connection) {
    await eventually(async () => {
      assert.doesNotMatch(await textOf(this.mine), new RegExp(`${connection} since`));
      assert.doesNotMatch(await textOf(this.row(connection)), new RegExp(`\\b${this.name}\\b`));
    });
  }

  /** The row says that these, and only these, are on it. */
  sees(connection, ...holders) {
    return eventually(async () => {
      const names = await this.row(connection).locator(".who-name").allInnerTexts();
      assert.deepEqual(names, holders, `on ${connection}`);
    });
  }

  seesFree(connection) {
    return this.seesInRow(connection, /\bFree\b/);
  }

  seesInRow(connection, pattern) {
    return eventually(async () => assert.match(await textOf(this.row(connection)), pattern));
  }

  /** The connections whose rows are in sight, from top to bottom. */
  async seesRows() {
    const boxes = await this.page.getByRole("main").getByRole("checkbox").all();
    return Promise.all(boxes.map((box) => box.getAttribute("aria-label")));
  }

  seesExactly(...connections) {
    return eventually(async () => assert.deepEqual(await this.seesRows(), connections));
  }

  /** The line at the bottom says it, to eye and ear. */
  isTold(pattern) {
    return eventually(async () => assert.match(await textOf(this.page.getByRole("status").first()), pattern));
  }

  /** The row's box, or the control of that name, has the keyboard. */
  hasFocusOn(name) {
    return eventually(async () => assert.equal(await this.focused(), name));
  }

  /** The name of what has the keyboard. */
  focused() {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return "nothing";
      return element.getAttribute("aria-label") ?? element.textContent.replace(/\s+/g, " ").trim();
    });
  }

  async presses(...keys) {
    for (const key of keys) await this.keyboard.press(key);
  }

  title() {
    return this.page.title();
  }
}

/** What an element says, with its spaces set to rights. */
export async function textOf(locator) {
  return (await locator.innerText()).replace(/\s+/g, " ").trim();
}
