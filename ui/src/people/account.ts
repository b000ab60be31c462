/** Accounts and API tokens, shaped for people. */

import { folded, hasWords } from "../shared/search";

export type Role = "member" | "auditor" | "admin";

export interface Account {
  readonly name: string;
  readonly role: Role;
  readonly role_source: "service_user" | "users_file" | "admin" | "usual";
  readonly status: "active" | "disabled" | "taken_out";
  readonly reason?: string;
  readonly disabled_by?: string;
  readonly listed: boolean;
  readonly has_password: boolean;
  readonly invited_until?: string;
  readonly last_sign_in_at: string | null;
}

export interface ApiToken {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly created_at: string;
  readonly expires_at: string;
  readonly ended: boolean;
  readonly last_used_at: string | null;
}

export type Scope = "messages" | "board" | "audit" | "metrics";

/** The roles, and what each may. */
export const ROLES: readonly (readonly [Role, string])[] = [
  ["member", "The board"],
  ["auditor", "The board and the audit"],
  ["admin", "Everything, this page too"],
];

/** The scopes, and what each is for. */
export const SCOPES: readonly (readonly [Scope, string])[] = [
  ["messages", "Hand in messages"],
  ["board", "See and change the board, as the account"],
  ["audit", "Read the audit, if the account may"],
  ["metrics", "Read the metrics"],
];

export type Show = "all" | "waiting" | "out";

/** Who waits for a password, who is out, or everybody. */
export function isShown(account: Account, show: Show, words: readonly string[]): boolean {
  if (show === "waiting" && !isWaiting(account)) return false;
  if (show === "out" && account.status === "active") return false;
  return hasWords(folded([account.name, account.role, account.reason ?? ""].join("\n")), words);
}

/** Somebody who could come in, and has no password yet. */
export function isWaiting(account: Account): boolean {
  return account.status === "active" && !account.has_password;
}

/** Whether an invitation can be made: not where the password is a setting. */
export function canBeInvited(account: Account): boolean {
  return account.status === "active" && !(account.role_source === "service_user" && account.has_password);
}

/** Why a role cannot be changed here; `null` where it can. */
export function roleIsFixed(account: Account): string | null {
  if (account.role_source === "service_user") return "The service user of HC_USER is always an admin.";
  if (account.role_source === "users_file") return "users.txt gives this role; change it there.";
  return null;
}

/** The moment at which a day ends here, for the server. */
export function endOfDay(day: string): string {
  const end = new Date(`${day}T00:00:00`);
  if (Number.isNaN(end.getTime())) return day;
  end.setDate(end.getDate() + 1);
  return end.toISOString();
}

/** The day a year from now, as a date field has it. */
export function inAYear(now: number): string {
  const day = new Date(now);
  day.setFullYear(day.getFullYear() + 1);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
