/** Connections and sessions to test with. */

import type { Connection, Session } from "../src/board/model";

export function session(user: string, changed: Partial<Session> = {}): Session {
  const connection = "vpn main 1;vpn sub 1";
  const since = "2026-11-24T09:12:00+01:00";
  return { id: `of ${user}`, connection, user, since, note: "", source: "page", unconfirmed: null, ...changed };
}

export function connection(sessions: readonly Session[] = [], changed: Partial<Connection> = {}): Connection {
  const names = { id: "vpn main 1;vpn sub 1", main: "vpn main 1", sub: "vpn sub 1" };
  return { ...names, capacity: 1, retired: false, sessions, ...changed };
}
