/** The state of the people page: accounts, tokens, what is looked for, and the question that is asked. */

import { computed, signal } from "@preact/signals";
import { ask, problemOf, Refused } from "../shared/ask";
import { wordsOf } from "../shared/search";
import { isShown, isWaiting, type Account, type ApiToken, type Show } from "./account";

export interface Invitation {
  readonly user: string;
  readonly link: string;
  readonly expires_at: string;
}

export type Question =
  | { readonly kind: "add" }
  | { readonly kind: "role"; readonly account: Account }
  | { readonly kind: "disable"; readonly account: Account }
  | { readonly kind: "invited"; readonly invitations: readonly Invitation[] }
  | { readonly kind: "create-token" }
  | { readonly kind: "token"; readonly name: string; readonly token: string }
  | { readonly kind: "revoke"; readonly token: ApiToken };

/** How many rows stand there until more are asked for. */
export const PAGE_ROWS = 200;

export class PeopleState {
  readonly accounts = signal<readonly Account[] | null>(null);
  readonly tokens = signal<readonly ApiToken[]>([]);
  readonly problem = signal<Refused | null>(null);
  /** What was done last, for eye and ear. */
  readonly told = signal("");
  readonly search = signal("");
  readonly show = signal<Show>("all");
  readonly limit = signal(PAGE_ROWS);
  readonly question = signal<Question | null>(null);

  readonly waiting = computed(() => (this.accounts.value ?? []).filter(isWaiting).length);
  readonly out = computed(() => (this.accounts.value ?? []).filter((account) => account.status !== "active").length);
  readonly found = computed(() => {
    const words = wordsOf(this.search.value);
    return (this.accounts.value ?? []).filter((account) => isShown(account, this.show.value, words));
  });

  async load(): Promise<void> {
    try {
      const [accounts, tokens] = await Promise.all([ask("GET", "/api/v1/accounts"), ask("GET", "/api/v1/tokens")]);
      this.accounts.value = (accounts as { accounts: Account[] }).accounts;
      this.tokens.value = (tokens as { tokens: ApiToken[] }).tokens;
      this.problem.value = null;
    } catch (error) {
      this.problem.value = error instanceof Refused ? error : new Refused("The answer could not be read", String(error));
    }
  }

  add(name: string, role: string): Promise<string | null> {
    return this.#does(ask("POST", "/api/v1/accounts", { name, role }), `Added ${name}.`);
  }

  setRole(account: Account, role: string): Promise<string | null> {
    return this.#does(ask("PATCH", pathOf(account), { role }), `${account.name} is ${role} now.`);
  }

  disable(account: Account, reason: string): Promise<string | null> {
    return this.#does(ask("PATCH", pathOf(account), { disabled: true, reason }), `Disabled ${account.name}.`);
  }

  async enable(account: Account): Promise<void> {
    const problem = await this.#does(ask("PATCH", pathOf(account), { disabled: false }), `Enabled ${account.name}.`);
    if (problem) this.told.value = problem;
  }

  async invite(account: Account): Promise<void> {
    await this.#invite(`${pathOf(account)}/invitation`, (answer) => [answer as Invitation]);
  }

  async inviteAll(): Promise<void> {
    await this.#invite("/api/v1/invitations", (answer) => (answer as { invitations: Invitation[] }).invitations);
  }

  createToken(wanted: { user: string; name: string; scopes: readonly string[]; expires_at: string }): Promise<string | null> {
    const request = ask("POST", "/api/v1/tokens", wanted).then((answer) => {
      this.#asksNext({ kind: "token", name: wanted.name, token: (answer as { token: string }).token });
    });
    return this.#does(request, `Made the token ${wanted.name}.`);
  }

  revoke(token: ApiToken): Promise<string | null> {
    return this.#does(ask("DELETE", `/api/v1/tokens/${token.id}`), `Revoked the token ${token.name}.`);
  }

  /** The dialog is gone; another one may follow it. */
  answered(): void {
    this.question.value = this.#next;
    this.#next = null;
  }

  #next: Question | null = null;

  #asksNext(question: Question): void {
    this.#next = question;
  }

  async #invite(path: string, read: (answer: unknown) => readonly Invitation[]): Promise<void> {
    const request = ask("POST", path).then((answer) => {
      const invitations = read(answer);
      if (invitations.length > 0) this.question.value = { kind: "invited", invitations };
    });
    this.told.value = (await this.#does(request, "Made the invitation.")) ?? this.told.value;
  }

  async #does(request: Promise<unknown>, told: string): Promise<string | null> {
    const problem = await problemOf(request);
    if (problem) return problem;
    this.told.value = told;
    await this.load();
    return null;
  }
}

function pathOf(account: Account): string {
  return `/api/v1/accounts/${encodeURIComponent(account.name)}`;
}
