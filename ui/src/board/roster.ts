/** All lines of the board, in groups, and what is counted over them. */

import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { remember, rememberedList } from "../shared/storage";
import { wordsOf } from "../shared/search";
import { grouped, type Grouped, type Show } from "./filter";
import { isGone, sessionOf, type Board, type Changes, type Connection } from "./model";
import { Row, type Look } from "./row-state";
import { afterChange } from "./tick";

export type Group = Grouped<Row>;

/** Told of every change that came, before it is shown. */
export type Watch = (before: Connection | undefined, after: Connection, row: Row | undefined) => void;

export class Roster {
  readonly me = signal("");
  readonly show = signal<Show>("all");
  readonly search = signal("");
  readonly foldedGroups = signal<ReadonlySet<string>>(new Set(rememberedList("folded")));
  readonly isKnown = signal(false);

  readonly rows = signal<readonly Row[]>([]);
  readonly groups: ReadonlySignal<readonly Group[]>;
  readonly isFlat: ReadonlySignal<boolean>;
  readonly shownCount: ReadonlySignal<number>;
  /** Whether a row is shown that no folded group hides. */
  readonly hasRowsInSight: ReadonlySignal<boolean>;
  readonly counts: ReadonlySignal<Record<Show, number>>;
  readonly mine: ReadonlySignal<readonly Row[]>;

  readonly #byId = new Map<string, Row>();
  readonly #look: Look;

  constructor(private readonly watch: Watch) {
    const words = computed(() => wordsOf(this.search.value));
    this.#look = { me: this.me, show: this.show, words };
    this.groups = computed(() => grouped(this.rows.value, (row) => row.connection.peek().main));
    this.isFlat = computed(() => this.show.value !== "all" || words.value.length > 0);
    this.shownCount = computed(() => this.rows.value.filter((row) => !row.hidden.value).length);
    this.hasRowsInSight = computed(() => this.shownCount.value > 0 && (this.isFlat.value || this.#hasOpenGroup()));
    this.counts = computed(() => this.#count());
    this.mine = computed(() => this.rows.value.filter((row) => row.view.value.mine !== undefined));
  }

  #hasOpenGroup(): boolean {
    return this.groups.value.some((group) => !this.foldedGroups.value.has(group.main));
  }

  find(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  /** Takes the whole board in place of everything. */
  replace(board: Board): void {
    batch(() => {
      this.me.value = board.me.user;
      const listed = new Set(board.connections.map((connection) => connection.id));
      const dropped = this.rows.peek().filter((row) => !listed.has(row.id));
      const rows = board.connections.filter((connection) => !isGone(connection)).map((connection) => this.#take(connection));
      const kept = dropped.filter((row) => this.#goes(row));
      this.#setRows([...rows, ...kept]);
      this.isKnown.value = true;
    });
  }

  /** Takes the connections that changed, each whole. */
  change(changes: Changes): void {
    batch(() => {
      if (changes.me) this.me.value = changes.me.user;
      const fresh = changes.connections.filter((connection) => !this.#byId.has(connection.id) && !isGone(connection));
      for (const connection of changes.connections) if (this.#byId.has(connection.id)) this.#take(connection);
      const added = fresh.map((connection) => this.#take(connection));
      const stay = this.rows.peek().filter((row) => !row.isGone || row.focused.peek());
      this.#setRows([...stay, ...added]);
    });
  }

  /** Lets the keyboard leave a row; one that is off the list goes then. */
  leave(row: Row): void {
    batch(() => {
      row.focused.value = false;
      if (row.isGone) this.#setRows(this.rows.peek().filter((other) => other !== row));
    });
  }

  fold(main: string, isFolded: boolean): void {
    const folded = new Set(this.foldedGroups.peek());
    if (isFolded) folded.add(main);
    else folded.delete(main);
    this.#setFolded(folded);
  }

  foldAll(isFolded: boolean): void {
    this.#setFolded(new Set(isFolded ? this.groups.peek().map((group) => group.main) : []));
  }

  /** The rows that the eye sees, from top to bottom. */
  visibleRows(): Row[] {
    const folded = this.isFlat.peek() ? new Set<string>() : this.foldedGroups.peek();
    const open = this.groups.peek().filter((group) => !folded.has(group.main));
    return open.flatMap((group) => group.items.filter((row) => !row.hidden.peek()));
  }

  #take(connection: Connection): Row {
    const known = this.#byId.get(connection.id);
    this.watch(known?.connection.peek(), connection, known);
    if (known) {
      known.tick.value = afterChange(known.tick.peek(), connection);
      known.take(connection);
      return known;
    }
    const row = new Row(connection, this.#look);
    this.#byId.set(connection.id, row);
    return row;
  }

  /** Marks a row as off the list; tells whether it stays in sight for the keyboard's sake. */
  #goes(row: Row): boolean {
    row.take({ ...row.connection.peek(), retired: true, sessions: [] });
    row.tick.value = null;
    return row.focused.peek();
  }

  #setRows(rows: readonly Row[]): void {
    const before = this.rows.peek();
    if (rows.length === before.length && rows.every((row, at) => row === before[at])) return;
    this.rows.value = rows;
    this.#byId.clear();
    for (const row of rows) this.#byId.set(row.id, row);
  }

  #setFolded(folded: ReadonlySet<string>): void {
    this.foldedGroups.value = folded;
    remember("folded", JSON.stringify([...folded]));
  }

  #count(): Record<Show, number> {
    const rows = this.rows.value;
    const used = rows.filter((row) => row.connection.value.sessions.length > 0);
    const mine = used.filter((row) => sessionOf(row.connection.value, this.me.value) !== undefined);
    return { all: rows.length, used: used.length, mine: mine.length };
  }
}
