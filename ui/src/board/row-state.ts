/** One line of the board, with signals of its own: what changes it renders it alone. */

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { hasWords } from "../shared/search";
import { isShown, searchText, type Show } from "./filter";
import { isGone, isSame, nameOf, type Connection } from "./model";
import { viewOf, type RowView, type Tick } from "./tick";

/** What the whole board looks through. */
export interface Look {
  readonly me: ReadonlySignal<string>;
  readonly show: ReadonlySignal<Show>;
  readonly words: ReadonlySignal<readonly string[]>;
}

let keys = 0;

export class Row {
  readonly id: string;
  /** Fit for an element's id. */
  readonly key = `row-${++keys}`;
  readonly name: string;
  readonly connection: Signal<Connection>;
  readonly tick: Signal<Tick | null> = signal(null);
  /** Whether the keyboard is in it: it stays in sight until it has left. */
  readonly focused = signal(false);
  readonly view: ReadonlySignal<RowView>;
  readonly hidden: ReadonlySignal<boolean>;
  /** The row's element while it is in the document. */
  element: HTMLElement | null = null;

  readonly #text: ReadonlySignal<string>;

  constructor(connection: Connection, look: Look) {
    this.id = connection.id;
    this.name = nameOf(connection);
    this.connection = signal(connection);
    this.view = computed(() => viewOf(this.connection.value, this.tick.value, look.me.value));
    this.#text = computed(() => searchText(this.connection.value));
    this.hidden = computed(() => !this.focused.value && !this.#isWanted(look));
  }

  /** Takes what the server says; the same again renders nothing. */
  take(connection: Connection): void {
    if (!isSame(this.connection.peek(), connection)) this.connection.value = connection;
  }

  get isGone(): boolean {
    return isGone(this.connection.peek());
  }

  get checkbox(): HTMLInputElement | null {
    return this.element?.querySelector<HTMLInputElement>("input[type=checkbox]") ?? null;
  }

  #isWanted(look: Look): boolean {
    // A tick that is on its way counts as mine at once.
    const shown = isShown(this.connection.value, look.show.value, look.me.value) || this.tick.value?.wants === "on";
    return shown && hasWords(this.#text.value, look.words.value);
  }
}
