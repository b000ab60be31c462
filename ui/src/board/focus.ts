/** Where the keyboard is, and where it goes when what it was on goes away. */

import type { Roster } from "./roster";
import type { Row } from "./row-state";

/** Moves to a row's checkbox; to the search where the row is out of sight. */
export function focusRow(row: Row): void {
  const box = row.checkbox;
  if (box?.checkVisibility()) box.focus();
  else focusSearch();
}

export function focusSearch(): void {
  document.getElementById("search")?.focus();
}

/** The row that the keyboard is in. */
export function currentRow(roster: Roster): Row | undefined {
  return roster.rows.peek().find((row) => row.focused.peek());
}

export function isFocusLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}
