/** A program at the board, by the official Socket.IO client. */

import { io } from "socket.io-client";
import { eventually, inTime } from "./wait.js";

/** Every way that clients may take. */
export const WAYS = {
  "a WebSocket": ["websocket"],
  "long-polling": ["polling"],
  "polling, then a WebSocket": ["polling", "websocket"],
};

/** The pauses between attempts to come back, in ms: short, as tests wait for them. */
const PAUSES = { reconnectionDelay: 50, reconnectionDelayMax: 200 };

export class Client {
  /** Everything that came, as `[event, payload]`, in its order. */
  heard = [];

  /**
   * @param auth what is said on every connect; a function of the client where that changes
   * @param cookie sent along, as a browser does
   */
  constructor(url, { transports = ["websocket"], auth = {}, cookie } = {}) {
    this.socket = io(url, {
      transports,
      auth: (send) => send(typeof auth === "function" ? auth(this) : auth),
      forceNew: true,
      ...PAUSES,
      ...(cookie && { extraHeaders: { cookie } }),
    });
    this.socket.onAny((event, payload) => this.heard.push([event, payload]));
  }

  /** Connects as whoever the token names; closed with the test. */
  static async connect(t, server, name, options = {}) {
    const token = await server.token(name);
    const client = Client.opened(t, server, { auth: { token }, ...options });
    await client.board();
    return client;
  }

  static opened(t, server, options) {
    const client = new Client(server.url, options);
    t.after(() => client.close());
    return client;
  }

  /** The names of the events that came, in their order. */
  get events() {
    return this.heard.map(([event]) => event);
  }

  /** What was heard of an event last. */
  last(event) {
    return this.heard.findLast(([name]) => name === event)?.[1];
  }

  board() {
    return this.#next("board");
  }

  changes() {
    return this.#next("changes");
  }

  /** The changes up to and with a number. */
  changesUpTo(seq) {
    return eventually(() => {
      const last = this.last("changes");
      if (!last || last.seq < seq) throw new Error(`heard up to ${last?.seq} and not ${seq}`);
      return this.heard.filter(([event]) => event === "changes").map(([, payload]) => payload);
    });
  }

  /** Why the server did not let it in. */
  refusal() {
    return inTime(new Promise((resolve) => this.socket.once("connect_error", resolve)), "the refusal");
  }

  disconnected() {
    return inTime(new Promise((resolve) => this.socket.once("disconnect", resolve)), "the disconnect");
  }

  connected() {
    return eventually(() => {
      if (!this.socket.connected) throw new Error("the socket is not connected");
    });
  }

  /** Emits an event, and resolves to its ack. */
  asks(event, payload) {
    return inTime(this.socket.emitWithAck(event, payload), `the answer to ${event}`);
  }

  check(connection, more) {
    return this.asks("check", { connection, ...more });
  }

  uncheck(connection) {
    return this.asks("uncheck", { connection });
  }

  takeOver(connection, more) {
    return this.asks("take_over", { connection, ...more });
  }

  note(connection, note) {
    return this.asks("note", { connection, note });
  }

  get transport() {
    return this.socket.io.engine.transport.name;
  }

  forget() {
    this.heard.length = 0;
  }

  close() {
    this.socket.close();
  }

  #next(event) {
    return eventually(() => {
      const payload = this.last(event);
      if (!payload) throw new Error(`no ${event} came, only ${this.events.join(", ") || "nothing"}`);
      return payload;
    });
  }
}
