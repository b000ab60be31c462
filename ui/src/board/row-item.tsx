/** A line of the board. */

import { useComputed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Who } from "../shared/who";
import { Ago } from "./ago";
import { useBoard } from "./context";
import { isFocusLost } from "./focus";
import type { Session } from "./model";
import type { Row } from "./row-state";
import type { RowView } from "./tick";
import { ticketIn } from "./words";

export function RowItem({ row }: { row: Row }) {
  const board = useBoard();
  const view = row.view.value;
  const item = useRowElement(row, view);
  return (
    <li
      ref={item}
      class={view.waits ? `row ${view.state} waits` : `row ${view.state}`}
      hidden={row.hidden}
      data-id={row.id}
      onFocusIn={() => (row.focused.value = true)}
      onFocusOut={(event) => whenLeft(event, row, () => board.roster.leave(row))}
    >
      <Name row={row} view={view} />
      <div class="told">
        <Holders row={row} view={view} />
        <Notes view={view} isRetired={row.connection.value.retired} />
      </div>
      <div class="since">
        {view.sessions[0] ? <Ago key={view.sessions[0].id} since={view.sessions[0].since} /> : view.arriving && "now"}
      </div>
      <Actions row={row} view={view} />
    </li>
  );
}

function Name({ row, view }: { row: Row; view: RowView }) {
  const board = useBoard();
  const isDisabled = useComputed(() => (row.view.value.locked || !board.isLive.value ? "true" : undefined));
  const { main, sub } = row.connection.value;
  return (
    <label class="name">
      <input
        type="checkbox"
        class="box"
        aria-label={row.name}
        aria-describedby={`${row.key}-on`}
        aria-disabled={isDisabled}
        checked={view.ticked}
        onClick={(event) => {
          if (!isDisabled.peek() && !view.waits) return;
          event.preventDefault();
          void board.toggle(row);
        }}
        onChange={() => void board.toggle(row)}
      />
      <span>
        <span class="main">{main} </span>
        <span class="sub">{sub}</span>
      </span>
    </label>
  );
}

function Holders({ row, view }: { row: Row; view: RowView }) {
  const { roster } = useBoard();
  const { capacity, retired } = row.connection.value;
  const count = view.sessions.length + Number(view.arriving);
  return (
    <div class="holders" id={`${row.key}-on`}>
      {view.sessions.map((session) => (
        <Who key={session.id} user={session.user} unsure={session.unconfirmed !== null} />
      ))}
      {view.arriving && <Who key="arriving" user={roster.me.value} />}
      {count === 0 && <span class="free">{freeText(capacity, retired)}</span>}
      {count > 0 && capacity > 1 && (
        <span class="tag number">
          {count} of {capacity}
        </span>
      )}
    </div>
  );
}

function freeText(capacity: number, isRetired: boolean): string {
  if (isRetired) return "Off the list";
  return capacity > 1 ? `Free, room for ${capacity}` : "Free";
}

function Notes({ view, isRetired }: { view: RowView; isRetired: boolean }) {
  const noted = view.sessions.filter((session) => session.note !== "");
  const unsure = view.sessions.find((session) => session.unconfirmed !== null);
  return (
    <div class="note">
      {isRetired && view.sessions.length > 0 && (
        <span class="tag warn" title="Taken off the list; goes when it is unchecked">
          retired
        </span>
      )}
      {unsure?.unconfirmed && (
        <span class="tag warn">
          <Ago key={unsure.unconfirmed} since={unsure.unconfirmed} running="unconfirmed for " standing="unconfirmed since " />
        </span>
      )}
      {noted.map((session) => (
        <Note key={session.id} session={session} isNamed={noted.length > 1} />
      ))}
    </div>
  );
}

function Note({ session, isNamed }: { session: Session; isNamed: boolean }) {
  const { ticket, rest } = ticketIn(session.note);
  return (
    <>
      {isNamed && <span class="noter">{session.user}:</span>}
      {isNamed && " "}
      {ticket && <span class="ticket">{ticket}</span>}
      {ticket && " "}
      {rest && (
        <span class="words" title={session.note}>
          {rest}
        </span>
      )}
    </>
  );
}

function Actions({ row, view }: { row: Row; view: RowView }) {
  const board = useBoard();
  const isDisabled = useComputed(() => (board.isLive.value ? undefined : "true"));
  return (
    <div class="does">
      {view.canNote && (
        <button type="button" class="plain" aria-disabled={isDisabled} onClick={() => board.askForNote(row)}>
          {view.mine?.note ? "Edit note" : "Add note"}
          <span class="hush"> on {row.name}</span>
        </button>
      )}
      {view.canTakeOver && (
        <button type="button" class="over" aria-disabled={isDisabled} onClick={() => board.askToTakeOver(row)}>
          Take over<span class="hush"> {row.name}</span>
        </button>
      )}
    </div>
  );
}

/**
 * Tells when the keyboard has left a row. A button that goes while it has the
 * keyboard, and a window that does, are no reason to leave.
 */
function whenLeft(event: FocusEvent & { currentTarget: HTMLElement }, row: Row, leave: () => void): void {
  const { currentTarget: item, relatedTarget: next } = event;
  const left = event.target as HTMLElement;
  if (next) {
    if (!item.contains(next as Node)) leave();
    return;
  }
  queueMicrotask(() => {
    if (item.contains(document.activeElement)) return;
    if (!left.isConnected && isFocusLost() && row.checkbox) row.checkbox.focus();
    else leave();
  });
}

/** Knows the element, and lights it up when somebody came or went. */
function useRowElement(row: Row, view: RowView) {
  const item = useRef<HTMLLIElement>(null);
  const holders = view.sessions.map((session) => session.id).join();
  const before = useRef(holders);
  useLayoutEffect(() => {
    row.element = item.current;
    return () => {
      row.element = null;
    };
  }, [row]);
  useLayoutEffect(() => {
    if (before.current !== holders) lightUp(item.current);
    before.current = holders;
  }, [holders]);
  return item;
}

function lightUp(element: HTMLElement | null): void {
  if (!element || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ backgroundColor: "var(--warn-tint)" }, {}], { duration: 2000, easing: "ease-out" });
}
