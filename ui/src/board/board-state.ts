/** The one state of the page: the roster, the link, and what is said and asked. */

import { batch, computed, effect, signal } from "@preact/signals";
import { Link } from "./link";
import { nameOf, type Command, type Connection, type Finding } from "./model";
import { changesOf, lostBy } from "./news";
import { Roster } from "./roster";
import type { Row } from "./row-state";
import { Speaker } from "./speaker";
import { afterYes, askOff, askOn, type Tick } from "./tick";
import { heldBy, noAnswer, NOT_LIVE, refusal } from "./words";

export type Question =
  | { readonly kind: "take-over" | "note"; readonly row: Row }
  | { readonly kind: "help" };

/** How long a tick may stay ahead of the change that it waits for, in ms. */
const GRANTED_MS = 2000;

export class BoardState {
  readonly speaker = new Speaker();
  readonly roster = new Roster((before, after, row) => this.#notice(before, after, row));
  readonly findings = signal<readonly Finding[]>([]);
  readonly question = signal<Question | null>(null);
  readonly link: Link;
  /** Whether what is shown is how it is. */
  readonly isLive = computed(() => this.link.state.value.phase === "live");
  /** The server's time, in ms, to the second; it stands still while the board is not live. */
  readonly now = signal(0);
  /** For how long nothing was heard, in ms, while the board is not live. */
  readonly silentFor = signal(0);

  constructor() {
    this.link = new Link({
      board: (board) => this.#update(() => {
        this.roster.replace(board);
        this.findings.value = board.findings;
      }),
      changes: (changes) => this.#update(() => this.roster.change(changes)),
      findings: (findings) => {
        this.findings.value = findings;
      },
    });
    setInterval(() => this.#tickOn(), 1000);
    effect(() => this.#announceLink());
  }

  /** The checkbox: on, off, or an answer why not. */
  async toggle(row: Row): Promise<void> {
    const view = row.view.peek();
    if (!this.#mayAct()) return;
    if (view.waits) return;
    if (view.locked) return this.speaker.refuse(heldBy(row.connection.peek(), view.sessions, this.now.peek()));
    if (view.mine) await this.#ask(row, askOff(view.mine), { event: "uncheck", session: view.mine.id });
    else await this.#ask(row, askOn(), { event: "check", connection: row.id });
  }

  /** Resolves to `null` when it is done, else to what went wrong. */
  takeOver(row: Row, session: string, note: string): Promise<string | null> {
    const said = note.trim() ? { note: note.trim() } : {};
    return this.#command(row, { event: "take_over", connection: row.id, session, ...said }, "is yours");
  }

  /** Resolves to `null` when it is done, else to what went wrong. */
  setNote(row: Row, note: string): Promise<string | null> {
    return this.#command(row, { event: "note", connection: row.id, note: note.trim() }, "has its note");
  }

  askToTakeOver(row: Row): void {
    if (row.view.peek().canTakeOver && this.#mayAct()) this.question.value = { kind: "take-over", row };
  }

  askForNote(row: Row): void {
    if (row.view.peek().canNote && this.#mayAct()) this.question.value = { kind: "note", row };
  }

  async #ask(row: Row, tick: Tick, command: Command): Promise<void> {
    row.tick.value = tick;
    const answer = await this.link.send(command);
    if (answer?.ok) return this.#granted(row, answer.session, tick.wants);
    row.tick.value = null;
    const connection = row.connection.peek();
    if (!answer) return this.speaker.refuse(noAnswer(connection));
    this.speaker.refuse(refusal(connection, answer, this.roster.me.peek(), this.now.peek()));
  }

  #granted(row: Row, session: Parameters<typeof afterYes>[1], wanted: Tick["wants"]): void {
    const tick = afterYes(row.tick.peek(), session, row.connection.peek());
    row.tick.value = tick;
    if (tick) setTimeout(() => row.tick.peek() === tick && (row.tick.value = null), GRANTED_MS);
    this.speaker.confirm(`${row.name} ${wanted === "on" ? "is yours" : "is unchecked"}`);
  }

  async #command(row: Row, command: Command, done: string): Promise<string | null> {
    if (!this.link.isLive) return NOT_LIVE;
    const answer = await this.link.send(command);
    const connection = row.connection.peek();
    if (!answer) return noAnswer(connection);
    if (!answer.ok) return refusal(connection, answer, this.roster.me.peek(), this.now.peek());
    this.speaker.confirm(`${nameOf(connection)} ${done}`);
    return null;
  }

  #mayAct(): boolean {
    if (!this.link.isLive) this.speaker.refuse(NOT_LIVE);
    return this.link.isLive;
  }

  #notice(before: Connection | undefined, after: Connection, row: Row | undefined): void {
    if (!this.roster.isKnown.peek()) return;
    const me = this.roster.me.peek();
    this.speaker.tell(changesOf(before, after, me));
    const lost = before && row?.tick.peek()?.wants !== "off" ? lostBy(before, after, me) : null;
    if (lost) this.speaker.refuse(lost);
  }

  #update(take: () => void): void {
    batch(() => {
      this.now.value = this.link.clock.now();
      take();
    });
  }

  #tickOn(): void {
    const now = this.link.clock.now();
    if (this.isLive.peek()) this.now.value = now;
    else this.silentFor.value = now - this.link.state.peek().heardAt;
  }

  #announceLink(): void {
    const { phase, heardAt } = this.link.state.value;
    if (phase === "live") this.speaker.live();
    else if (heardAt > 0) this.speaker.notLive();
  }
}
