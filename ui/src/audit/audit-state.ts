/** The state of the audit page: the reports, the chosen one, and what is looked for in it. */

import { computed, effect, signal } from "@preact/signals";
import { folded, wordsOf } from "../shared/search";
import { found, reportFor, rowsOf, textOf, type Report, type ReportTable } from "./report";
import { fetchReports, fetchTable, RequestFailed } from "./requests";

export type Loaded<Value> =
  | { readonly state: "loading" }
  | { readonly state: "there"; readonly value: Value }
  | { readonly state: "failed"; readonly problem: RequestFailed };

/** How many rows stand on one page of the table. */
export const PAGE_ROWS = 200;

export class AuditState {
  readonly reports = signal<Loaded<readonly Report[]>>({ state: "loading" });
  readonly table = signal<Loaded<ReportTable>>({ state: "loading" });
  readonly search = signal("");
  readonly page = signal(0);

  readonly chosen = computed(() => {
    const reports = this.reports.value;
    if (reports.state !== "there") return undefined;
    return reportFor(this.#hash.value, reports.value) ?? reports.value[0];
  });
  readonly rows = computed(() => (this.table.value.state === "there" ? rowsOf(this.table.value.value) : []));
  readonly found = computed(() => found(this.rows.value, this.#texts.value, wordsOf(this.search.value)));
  readonly pageRows = computed(() => {
    const start = this.page.value * PAGE_ROWS;
    return this.found.value.slice(start, start + PAGE_ROWS);
  });

  readonly #hash = signal(location.hash);
  readonly #texts = computed(() => this.rows.value.map((row) => folded(textOf(row))));
  #running = new AbortController();

  constructor() {
    addEventListener("hashchange", () => {
      // A hash that names a part of the page, as the skip link does, chooses no week.
      if (!document.getElementById(location.hash.slice(1))) this.#hash.value = location.hash;
    });
    effect(() => this.#startOver());
    effect(() => {
      const name = this.chosen.value?.name;
      if (name !== undefined) void this.loadTable(name);
    });
  }

  async loadReports(): Promise<void> {
    this.reports.value = { state: "loading" };
    this.reports.value = await loaded(fetchReports());
  }

  async loadTable(name: string): Promise<void> {
    this.#running.abort();
    const running = new AbortController();
    this.#running = running;
    this.table.value = { state: "loading" };
    const table = await loaded(fetchTable(name, running.signal));
    if (!running.signal.aborted) this.table.value = table;
  }

  /** Another table or another search begins on its first page. */
  #startOver(): void {
    void this.table.value;
    void this.search.value;
    this.page.value = 0;
  }
}

async function loaded<Value>(request: Promise<Value>): Promise<Loaded<Value>> {
  try {
    return { state: "there", value: await request };
  } catch (error) {
    const problem = error instanceof RequestFailed ? error : new RequestFailed("The answer could not be read", String(error));
    return { state: "failed", problem };
  }
}
