/** What others changed, in sentences that are heard. */

import { isSameAccount, nameOf, sessionOf, type Connection, type Session } from "./model";

export interface Change {
  readonly user: string;
  readonly did: "came" | "left";
  readonly connection: string;
}

/** How many changes are told one by one; more are summed up. */
const TOLD_SINGLY = 3;

/** What differs between two states of a connection, without what `me` did. */
export function changesOf(before: Connection | undefined, after: Connection, me: string): Change[] {
  const was = before?.sessions ?? [];
  const connection = nameOf(after);
  const left = missing(was, after.sessions).map((session) => ({ user: session.user, did: "left" as const, connection }));
  const came = missing(after.sessions, was).map((session) => ({ user: session.user, did: "came" as const, connection }));
  // Who had to leave because I came is told as the result of what I did.
  const didMe = came.some((change) => isSameAccount(change.user, me));
  return [...(didMe ? [] : left), ...came].filter((change) => !isSameAccount(change.user, me));
}

/** One text for all changes since the last one; empty if there is nothing to tell. */
export function newsOf(changes: readonly Change[]): string {
  if (changes.length <= TOLD_SINGLY) return changes.map(told).join(" ");
  const came = changes.filter((change) => change.did === "came").length;
  const parts = [came && `${came} checked`, changes.length - came && `${changes.length - came} unchecked`];
  const users = [...new Set(changes.map((change) => change.user))];
  return `${changes.length} changes: ${parts.filter(Boolean).join(", ")}, by ${listed(users)}.`;
}

/** What is said when my session ended and I did not ask for it; `null` if it did not. */
export function lostBy(before: Connection, after: Connection, me: string): string | null {
  const mine = sessionOf(before, me);
  if (!mine || sessionOf(after, me)) return null;
  const [successor] = missing(after.sessions, before.sessions);
  if (!successor) return `Your session on ${nameOf(after)} has ended`;
  return `${successor.user} is on ${nameOf(after)} now, and your session has ended`;
}

/** `alice`, `alice and bob`, `alice, bob and 3 others`. */
export function listed(names: readonly string[]): string {
  const [first = "nobody", second, third, ...rest] = names;
  if (second === undefined) return first;
  if (third === undefined) return `${first} and ${second}`;
  if (rest.length === 0) return `${first}, ${second} and ${third}`;
  return `${first}, ${second} and ${names.length - 2} others`;
}

function told({ user, did, connection }: Change): string {
  return did === "came" ? `${user} is on ${connection}.` : `${user} left ${connection}.`;
}

function missing(sessions: readonly Session[], from: readonly Session[]): Session[] {
  return sessions.filter((session) => !from.some((other) => other.id === session.id));
}
