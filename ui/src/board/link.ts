/**
 * The way to the server: one socket that comes back by itself.
 *
 * "Live" is claimed only while the socket is open *and* the server has said
 * what the board looks like since it opened.
 */

import { signal } from "@preact/signals";
import { io, type Socket } from "socket.io-client";
import type { Answer, Board, Changes, Command, Finding } from "./model";
import { measureHere, ServerClock } from "./server-clock";

export type Phase = "connecting" | "live" | "stale" | "offline";

export interface LinkState {
  readonly phase: Phase;
  /** The server's time when it was last heard, in ms; 0 if never. */
  readonly heardAt: number;
}

export interface Listener {
  board(board: Board): void;
  changes(changes: Changes): void;
  findings(findings: readonly Finding[]): void;
}

/** How long an answer may take, in ms, before it counts as unknown. */
const ANSWER_MS = 8000;
/** How long one attempt to connect may take, in ms: a dead way must not hide that the server is back. */
const ATTEMPT_MS = 3000;
/** The pauses between attempts, in ms, each varied by up to a half so that not all pages come at once. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 1000;
/** After how long a first attempt that hangs is said to, in ms. */
const SLOW_START_MS = 3000;
/** After how long "reconnecting" is called "offline", in ms. */
const OFFLINE_AFTER_MS = 15_000;

export class Link {
  readonly state = signal<LinkState>({ phase: "connecting", heardAt: 0 });
  readonly clock = new ServerClock(measureHere);

  readonly #socket: Socket;
  #known: { epoch: string; seq: number } | null = null;
  #heardAt = 0;
  #worseTimer: ReturnType<typeof setTimeout> | undefined;
  #openedByWebSocket = false;

  constructor(private readonly listener: Listener) {
    this.#socket = io({
      auth: (send) => send(this.#resumeFrom()),
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      timeout: ATTEMPT_MS,
      reconnectionDelay: FIRST_PAUSE_MS,
      reconnectionDelayMax: LONGEST_PAUSE_MS,
    });
    this.#listen();
    this.#comeBackSooner();
    this.#worsen("stale", SLOW_START_MS);
  }

  get isLive(): boolean {
    return this.state.peek().phase === "live" && this.#socket.connected;
  }

  /** Resolves to the server's answer, or to `null` if none came. */
  async send({ event, ...payload }: Command): Promise<Answer | null> {
    if (!this.isLive) return null;
    try {
      return (await this.#socket.timeout(ANSWER_MS).emitWithAck(event, payload)) as Answer;
    } catch {
      return null;
    }
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("board", (board: Board) => this.#takeBoard(board));
    socket.on("changes", (changes: Changes) => this.#takeChanges(changes));
    socket.on("findings", ({ findings }: { findings: Finding[] }) => this.listener.findings(findings));
    socket.on("disconnect", (reason) => {
      this.#lost();
      // The library leaves it to us to come back when the server ended it.
      if (reason === "io server disconnect") this.#tryAgain(FIRST_PAUSE_MS);
    });
    socket.on("connect_error", (error) => this.#refused(error));
    socket.io.on("ping", () => this.#heard());
    socket.io.on("open", () => {
      this.#openedByWebSocket ||= socket.io.engine.transport.name === "websocket";
    });
    socket.io.on("error", () => this.#changeTransport());
  }

  #takeBoard(board: Board): void {
    this.clock.set(board.now);
    this.#known = { epoch: board.epoch, seq: board.seq };
    this.#heard();
    this.listener.board(board);
    this.#cameBack();
  }

  #takeChanges(changes: Changes): void {
    if (changes.now) this.clock.set(changes.now);
    if (this.#known) this.#known = { ...this.#known, seq: changes.seq };
    this.#heard();
    this.listener.changes(changes);
    this.#cameBack();
  }

  #heard(): void {
    this.#heardAt = this.clock.now();
  }

  #cameBack(): void {
    clearTimeout(this.#worseTimer);
    if (this.state.peek().phase !== "live") this.state.value = { phase: "live", heardAt: this.#heardAt };
  }

  #lost(): void {
    if (this.state.peek().phase !== "live") return;
    this.#become(navigator.onLine ? "stale" : "offline");
  }

  #become(phase: Phase): void {
    this.state.value = { phase, heardAt: this.#heardAt };
    if (phase === "stale") this.#worsen("offline", OFFLINE_AFTER_MS);
  }

  #worsen(phase: Phase, afterMs: number): void {
    clearTimeout(this.#worseTimer);
    this.#worseTimer = setTimeout(() => this.#become(phase), afterMs);
  }

  #refused(error: Error & { data?: { code?: string } }): void {
    if (error.data?.code === "unauthorized") {
      location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    } else if (!this.#socket.active) {
      this.#tryAgain(LONGEST_PAUSE_MS);
    }
  }

  #tryAgain(pauseMs: number): void {
    setTimeout(() => this.#socket.connect(), pauseMs * (0.5 + Math.random()));
  }

  /** Where a WebSocket never came through, something on the way may swallow them: begin with polling, in turns. */
  #changeTransport(): void {
    if (!this.#openedByWebSocket) this.#socket.io.opts.transports?.reverse();
  }

  #comeBackSooner(): void {
    const now = () => {
      if (!this.#socket.connected) this.#socket.disconnect().connect();
    };
    addEventListener("online", now);
    addEventListener("pageshow", (event) => event.persisted && now());
    document.addEventListener("visibilitychange", () => document.hidden || now());
    addEventListener("offline", () => {
      if (this.state.peek().phase === "stale") this.#become("offline");
    });
  }

  /** What the server needs to send only what was missed; nothing if its time must be learnt anew. */
  #resumeFrom(): { epoch?: string; seq?: number } {
    return this.#known && !this.clock.slept() ? this.#known : {};
  }
}
