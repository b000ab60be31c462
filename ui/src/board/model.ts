/** What the server sends and answers: the shapes of the Socket.IO events. */

export type Role = "member" | "auditor" | "admin";

export interface Session {
  readonly id: string;
  readonly connection: string;
  readonly user: string;
  /** RFC 3339. */
  readonly since: string;
  readonly note: string;
  readonly source: string;
  /** RFC 3339: since when its heartbeats are missing. */
  readonly unconfirmed: string | null;
}

export interface Connection {
  readonly id: string;
  readonly main: string;
  readonly sub: string;
  readonly capacity: number;
  readonly retired: boolean;
  readonly sessions: readonly Session[];
}

export interface Finding {
  readonly part: string;
  readonly code: string;
  readonly detail: string;
  readonly since: string;
}

export interface Board {
  readonly epoch: string;
  readonly seq: number;
  readonly me: { readonly user: string; readonly role: Role };
  /** The server's time, RFC 3339. */
  readonly now: string;
  readonly findings: readonly Finding[];
  readonly connections: readonly Connection[];
}

export interface Changes {
  readonly seq: number;
  readonly connections: readonly Connection[];
  /** Who came back, and the server's time then: the sign-in may be another, or this computer may have slept. */
  readonly me?: Board["me"];
  readonly now?: string;
}

export type Command =
  | { readonly event: "check"; readonly connection: string; readonly note?: string }
  | { readonly event: "uncheck"; readonly session: string }
  | { readonly event: "take_over"; readonly connection: string; readonly session: string; readonly note?: string }
  | { readonly event: "note"; readonly connection: string; readonly note: string };

export type Answer =
  | { readonly ok: true; readonly session: Session }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly holders?: readonly Session[] };

/** How long a note may be, in characters; the server refuses longer ones. */
export const MAX_NOTE_LENGTH = 500;

export function nameOf(connection: Connection): string {
  return `${connection.main} ${connection.sub}`;
}

export function isGone(connection: Connection): boolean {
  return connection.retired && connection.sessions.length === 0;
}

export function sessionOf(connection: Connection, user: string): Session | undefined {
  return connection.sessions.find((session) => isSameAccount(session.user, user));
}

/** Names are the same account whatever the case. */
export function isSameAccount(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase();
}

/** Whether both say the same; both came as JSON with the same order of keys. */
export function isSame(one: Connection, other: Connection): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
