/** Who uses the board: each in a browser window of their own, and watched for trouble. */

import { Person } from "./person.js";
import { PATIENCE_MS } from "./wait.js";

const SIZE = { width: 1280, height: 800 };

export class People {
  /** What went wrong in any page beside what tests look at. */
  trouble = [];

  #browser;
  #server;
  #windows = [];

  constructor(browser, server) {
    this.#browser = browser;
    this.#server = server;
  }

  /** Somebody at the sign-in form. */
  async comes(name, { size = SIZE, ...look } = {}) {
    const context = await this.#browser.newContext({
      baseURL: this.#server.url,
      viewport: size,
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      ...look,
    });
    this.#windows.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    this.#watch(context);
    return new Person(name, await context.newPage(), this.#server);
  }

  /** Somebody with the live board before them. The form is sent without being looked at: that is for the tests of the door. */
  async signIn(name, look) {
    const person = await this.comes(name, look);
    const form = { user: name, password: this.#server.passwords.get(name) ?? "" };
    await person.page.context().request.post("/login", { form, maxRedirects: 0 });
    await person.opens("/");
    await person.isLive();
    return person;
  }

  /** Everybody closes their windows. */
  async leave() {
    await Promise.all(this.#windows.map((context) => context.close()));
  }

  #watch(context) {
    const origin = new URL(this.#server.url).origin;
    const isOurs = (url) => new URL(url).origin.replace(/^ws/, "http") === origin;
    context.on("weberror", (event) => this.trouble.push(`failed: ${event.error().stack}`));
    context.on("console", (message) => {
      if (/Content.Security.Policy|Refused to/i.test(message.text())) this.trouble.push(message.text());
    });
    context.on("request", (request) => {
      if (!isOurs(request.url())) this.trouble.push(`asked others: ${request.url()}`);
    });
    context.on("page", (page) =>
      page.on("websocket", (socket) => {
        const url = socket.url().replace(/^ws/, "http");
        if (!isOurs(url)) this.trouble.push(`asked others: ${url}`);
      }),
    );
  }
}
