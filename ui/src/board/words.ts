/** The sentences that the board says. */

import { moment } from "../shared/time";
import { isSameAccount, nameOf, type Answer, type Connection, type Session } from "./model";
import { listed } from "./news";

/** `vpn main 1 vpn sub 1 is held by alice since 09:12`. */
export function heldBy(connection: Connection, sessions: readonly Session[], now: number): string {
  const name = nameOf(connection);
  if (sessions.length === 0) return connection.retired ? `${name} is off the list` : `${name} is free`;
  const holders = sessions.map((session) => `${session.user} since ${moment(Date.parse(session.since), now)}`);
  return `${name} is held by ${listed(holders)}`;
}

/** Why a tick was taken back. */
export function refusal(connection: Connection, answer: Answer & { ok: false }, me: string, now: number): string {
  const holders = answer.holders?.length ? answer.holders : connection.sessions;
  const others = holders.filter((session) => !isSameAccount(session.user, me));
  if (answer.code === "taken" && others.length > 0) return heldBy(connection, others, now);
  return `${nameOf(connection)}: ${answer.message}`;
}

export const NOT_LIVE = "Not live: nothing can be changed until the server answers";

export function noAnswer(connection: Connection): string {
  const what = `${nameOf(connection)}: the server did not answer`;
  return `${what}. It may have been done all the same; the board shows what the server says`;
}

/** Which part of a note is a ticket's number, to be set off: `INC-48213 Certificate renewal`. */
export function ticketIn(note: string): { readonly ticket: string; readonly rest: string } {
  const found = /^([A-Z][A-Z0-9]{1,9}-\d{1,10}|#\d{2,10})(?:[\s:,;.]+(.*))?$/su.exec(note.trim());
  return found ? { ticket: found[1] ?? "", rest: found[2] ?? "" } : { ticket: "", rest: note.trim() };
}
