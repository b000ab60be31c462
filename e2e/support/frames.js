/** Holds up what the server sends to one page, so that a race can be made to go either way. */

/** Before the page opens its socket. */
export async function holdFrames(page) {
  const frames = new Frames();
  await page.routeWebSocket(/\/socket\.io\//, (socket) => frames.carry(socket));
  return frames;
}

class Frames {
  /** What waits, in the order in which it came. */
  held = [];
  /** What the page sent. */
  sent = [];

  #holds = false;
  #page;

  carry(page) {
    const server = page.connectToServer();
    this.#page = page;
    page.onMessage((frame) => {
      this.sent.push(frame);
      server.send(frame);
    });
    server.onMessage((frame) => {
      if (this.#holds) this.held.push(frame);
      else page.send(frame);
    });
  }

  hold() {
    this.#holds = true;
  }

  /** Lets through what was held and is wanted; without a choice everything, from then on. */
  async release(isWanted) {
    if (!isWanted) this.#holds = false;
    const wanted = this.held.filter(isWanted ?? (() => true));
    this.held = this.held.filter((frame) => !wanted.includes(frame));
    for (const frame of wanted) this.#page.send(frame);
  }
}
