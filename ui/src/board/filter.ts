/** Which rows are shown, and in which groups. */

import { folded } from "../shared/search";
import { nameOf, sessionOf, type Connection } from "./model";

export type Show = "all" | "used" | "mine";

/** All that a search may find in a connection. */
export function searchText(connection: Connection): string {
  const said = connection.sessions.flatMap((session) => [session.user, session.note]);
  return folded([nameOf(connection), ...said].join("\n"));
}

export function isShown(connection: Connection, show: Show, me: string): boolean {
  if (show === "used") return connection.sessions.length > 0;
  if (show === "mine") return sessionOf(connection, me) !== undefined;
  return true;
}

export interface Grouped<Item> {
  readonly main: string;
  readonly items: readonly Item[];
}

/** By main name, in the order in which the names first come. */
export function grouped<Item>(items: readonly Item[], mainOf: (item: Item) => string): Grouped<Item>[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const main = mainOf(item);
    const group = groups.get(main);
    if (group) group.push(item);
    else groups.set(main, [item]);
  }
  return [...groups].map(([main, members]) => ({ main, items: members }));
}

/** The neighbour of `current` that j and k go to; without a current one, the first or the last. */
export function neighbour<Item>(items: readonly Item[], current: Item | undefined, step: 1 | -1): Item | undefined {
  const at = current === undefined ? -1 : items.indexOf(current);
  if (at < 0) return step === 1 ? items[0] : items.at(-1);
  return items[Math.min(Math.max(at + step, 0), items.length - 1)];
}
