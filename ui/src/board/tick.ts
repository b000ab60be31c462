/**
 * A tick that shows before the server has answered.
 *
 * A click makes a tick `asked`. A refusal, or no answer, takes it back. A yes
 * makes it `granted`: it goes on showing until the change itself has come, or
 * is dropped at once if that was here first. The answer and the change may
 * come in either order, and a change may already contain what came after it.
 */

import { isSameAccount, sessionOf, type Connection, type Session } from "./model";

export type Tick =
  | { readonly wants: "on"; readonly state: "asked"; readonly seen: readonly string[] }
  | { readonly wants: "on"; readonly state: "granted"; readonly session: Session }
  | { readonly wants: "off"; readonly state: "asked" | "granted"; readonly session: Session };

export function askOn(): Tick {
  return { wants: "on", state: "asked", seen: [] };
}

export function askOff(session: Session): Tick {
  return { wants: "off", state: "asked", session };
}

/** After a change of the connection came. */
export function afterChange(tick: Tick | null, changed: Connection): Tick | null {
  if (!tick) return null;
  if (tick.wants === "off") return has(changed, tick.session) ? tick : null;
  if (tick.state === "granted") return has(changed, tick.session) ? null : tick;
  const ids = changed.sessions.map((session) => session.id);
  return { ...tick, seen: [...new Set([...tick.seen, ...ids])] };
}

/** After the server said yes. */
export function afterYes(tick: Tick | null, session: Session, current: Connection): Tick | null {
  if (!tick) return null;
  if (tick.wants === "off") return has(current, tick.session) ? { ...tick, state: "granted" } : null;
  if (tick.state === "asked" && tick.seen.includes(session.id)) return null;
  return has(current, session) ? null : { wants: "on", state: "granted", session };
}

export interface RowView {
  /** Free, with room left, mine, without room for me, or off the list and free. */
  readonly state: "open" | "part" | "my" | "taken" | "gone";
  readonly ticked: boolean;
  /** Whether the box answers instead of changing. */
  readonly locked: boolean;
  /** Whether an answer is awaited. */
  readonly waits: boolean;
  readonly mine: Session | undefined;
  readonly sessions: readonly Session[];
  /** Who is about to be on it, not yet known to the server. */
  readonly arriving: boolean;
  readonly canTakeOver: boolean;
  readonly canNote: boolean;
}

/** What a row shows: what the server said, with what was asked of it. */
export function viewOf(connection: Connection, tick: Tick | null, me: string): RowView {
  const sessions = sessionsWith(connection, tick);
  const mine = sessions.find((session) => isSameAccount(session.user, me));
  const arriving = tick?.wants === "on" && !mine;
  const hasRoom = !connection.retired && sessions.length < connection.capacity;
  const isMine = mine !== undefined || arriving;
  return {
    state: stateOf(connection, isMine, hasRoom, sessions.length),
    ticked: isMine || (!hasRoom && sessions.length > 0),
    locked: !isMine && !hasRoom,
    waits: tick !== null,
    mine,
    sessions,
    arriving,
    canTakeOver: !isMine && !hasRoom && !connection.retired && sessions.length > 0,
    canNote: mine !== undefined && tick === null && !connection.retired,
  };
}

function stateOf(connection: Connection, isMine: boolean, hasRoom: boolean, count: number): RowView["state"] {
  if (isMine) return "my";
  if (count === 0) return connection.retired ? "gone" : "open";
  return hasRoom ? "part" : "taken";
}

function sessionsWith(connection: Connection, tick: Tick | null): readonly Session[] {
  if (!tick || (tick.wants === "on" && tick.state === "asked")) return connection.sessions;
  const others = connection.sessions.filter((session) => session.id !== tick.session.id);
  if (tick.wants === "off") return others;
  return sessionOf(connection, tick.session.user) ? connection.sessions : [...others, tick.session];
}

function has(connection: Connection, session: Session): boolean {
  return connection.sessions.some((other) => other.id === session.id);
}
