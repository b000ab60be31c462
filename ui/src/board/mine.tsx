/** The strip on top: what I am on. It keeps its place when that is nothing, so that no row moves under the hand. */

import { useComputed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Ago, At } from "./ago";
import { useBoard } from "./context";
import { focusRow, isFocusLost } from "./focus";
import type { Row } from "./row-state";

export function Mine() {
  const board = useBoard();
  const strip = useRef<HTMLElement>(null);
  const isDisabled = useComputed(() => (board.isLive.value ? undefined : "true"));
  const rows = board.roster.mine.value;
  const keyboard = useRef<{ row: Row; at: number } | null>(null);
  useLayoutEffect(() => {
    const was = keyboard.current;
    if (was && !rows.includes(was.row) && isFocusLost()) focusBeside(strip.current, was);
  }, [rows]);

  const uncheck = (row: Row) => {
    const buttons = [...(strip.current?.querySelectorAll("button") ?? [])];
    const at = rows.indexOf(row);
    const next = buttons[at + 1] ?? buttons[at - 1];
    if (board.link.isLive) {
      // The button is about to go; the keyboard goes on to its neighbour, or to the row.
      if (next) next.focus();
      else focusRow(row);
    }
    void board.toggle(row);
  };

  return (
    <section class="mine" aria-labelledby="mine-head" ref={strip} onFocusOut={(event) => whenLeft(event, () => (keyboard.current = null))}>
      <h2 id="mine-head">You are on</h2>
      {rows.length === 0 && <p>no connection</p>}
      <ul hidden={rows.length === 0}>
        {rows.map((row) => (
          <li key={row.id} onFocusIn={() => (keyboard.current = { row, at: rows.indexOf(row) })}>
            <MineText row={row} />
            <button type="button" class="plain" aria-disabled={isDisabled} onClick={() => uncheck(row)}>
              Uncheck<span class="hush"> {row.name}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A session that somebody else ended takes its button along; the keyboard goes on beside it. */
function focusBeside(strip: HTMLElement | null, was: { row: Row; at: number }): void {
  const buttons = [...(strip?.querySelectorAll("button") ?? [])];
  const next = buttons[Math.min(was.at, buttons.length - 1)];
  if (next) next.focus();
  else focusRow(was.row);
}

/** A button that goes while it has the keyboard is no reason to leave. */
function whenLeft(event: FocusEvent, leave: () => void): void {
  const left = event.target as HTMLElement;
  queueMicrotask(() => left.isConnected && !left.matches(":focus") && leave());
}

function MineText({ row }: { row: Row }) {
  const session = row.view.value.mine;
  if (!session) return null;
  return (
    <span class="mine-text" key={session.id}>
      <b>{row.name}</b>
      <small>
        since <At since={session.since} />
        <span class="ago">
          {" · "}
          <Ago since={session.since} />
        </span>
      </small>
    </span>
  );
}
