/** Everything on the board by a single key. */

import type { BoardState } from "./board-state";
import { neighbour } from "./filter";
import { currentRow, focusRow, focusSearch } from "./focus";
import { keysAreOn } from "./keys-setting";
import type { Row } from "./row-state";

export function listenForKeys(board: BoardState): void {
  document.addEventListener("keydown", (event) => {
    if (!isForUs(event, board)) return;
    const action = ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action(board);
  });
}

const ACTIONS: Record<string, (board: BoardState) => void> = {
  "/": focusSearch,
  "?": (board) => (board.question.value = { kind: "help" }),
  j: (board) => move(board, 1),
  k: (board) => move(board, -1),
  n: (board) => withRow(board, (row) => board.askForNote(row)),
  t: (board) => withRow(board, (row) => board.askToTakeOver(row)),
  f: foldHere,
};

function isForUs(event: KeyboardEvent, board: BoardState): boolean {
  if (!keysAreOn.peek() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (board.question.peek()) return false;
  const target = event.target as HTMLElement;
  return !target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

function withRow(board: BoardState, act: (row: Row) => void): void {
  const row = currentRow(board.roster);
  if (row) act(row);
}

function move(board: BoardState, step: 1 | -1): void {
  const rows = board.roster.visibleRows();
  const next = neighbour(rows, currentRow(board.roster) ?? besideHeading(board, rows, step), step);
  if (next) focusRow(next);
}

/** From a group's heading, j goes to the first row below it and k to the last one above it. */
function besideHeading(board: BoardState, rows: readonly Row[], step: 1 | -1): Row | undefined {
  const main = focusedGroup();
  if (main === undefined) return undefined;
  const mains = board.roster.groups.peek().map((group) => group.main);
  const heading = mains.indexOf(main);
  const isAbove = (row: Row) => mains.indexOf(row.connection.peek().main) < heading;
  return step === 1 ? rows.findLast(isAbove) : rows.find((row) => !isAbove(row));
}

function foldHere(board: BoardState): void {
  if (board.roster.isFlat.peek()) return;
  const row = currentRow(board.roster);
  const main = row?.connection.peek().main ?? focusedGroup();
  if (main === undefined) return;
  const heading = document.querySelector<HTMLElement>(`[data-group="${CSS.escape(main)}"]`);
  heading?.focus();
  board.roster.fold(main, !board.roster.foldedGroups.peek().has(main));
}

function focusedGroup(): string | undefined {
  return (document.activeElement as HTMLElement | null)?.dataset.group;
}
