/**
 * The one voice of the page. Results of my own actions are said at once and
 * stay in sight; what others did is gathered and only heard.
 */

import { signal } from "@preact/signals";
import { newsOf, type Change } from "./news";
import { NOT_LIVE } from "./words";

export interface Said {
  readonly text: string;
  readonly kind: "done" | "refused";
  /** Grows with each, so that the same words are said again. */
  readonly count: number;
}

/** How long changes of others are gathered, in ms. */
const GATHER_MS = 4000;
/** How long the result of one's own action stays in sight, in ms. */
const IN_SIGHT_MS = 15_000;

export class Speaker {
  readonly said = signal<Said | null>(null);
  readonly heard = signal("");

  #gathered: Change[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLive = true;
  #count = 0;

  /** Says it to those who listen; nothing is seen. */
  whisper(text: string): void {
    this.heard.value = text;
  }

  confirm(text: string): void {
    this.#say(text, "done");
  }

  refuse(text: string): void {
    this.#say(text, "refused");
  }

  tell(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.#gathered.push(...changes);
    this.#timer ??= setTimeout(() => this.#speak(), GATHER_MS);
  }

  notLive(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.said.value = null;
    this.heard.value = "Not live. What you see may be wrong, and nothing can be changed.";
  }

  live(): void {
    if (this.#isLive) return;
    this.#isLive = true;
    this.heard.value = "Live again.";
    if (this.said.peek()?.text === NOT_LIVE) this.said.value = null;
  }

  #say(text: string, kind: Said["kind"]): void {
    const said = { text, kind, count: (this.#count += 1) };
    this.said.value = said;
    setTimeout(() => this.said.peek() === said && (this.said.value = null), IN_SIGHT_MS);
  }

  #speak(): void {
    this.#timer = undefined;
    const news = newsOf(this.#gathered);
    this.#gathered = [];
    if (this.#isLive) this.heard.value = news;
  }
}
