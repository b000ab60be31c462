/** The board's page. */

import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./board/app";
import { BoardState } from "./board/board-state";
import { BoardContext } from "./board/context";
import { listenForKeys } from "./board/keys";
import type { LinkState } from "./board/link";
import { startShell } from "./shared/shell";
import { isFirstInTab } from "./shared/storage";
import { timeOfDay } from "./shared/time";

const TITLE = document.title;

startShell();
const board = new BoardState();
effect(() => showLink(board.link.state.value));
effect(() => {
  document.documentElement.dataset.view = board.roster.isFlat.value ? "flat" : "grouped";
});
effect(() => startOverAs(board.roster.me.value));
listenForKeys(board);

const place = document.getElementById("app");
if (place) {
  place.replaceChildren();
  render(
    <BoardContext.Provider value={board}>
      <App />
    </BoardContext.Provider>,
    place,
  );
}

/** Says it outside of the app as well: in the header, to the styles, and in the tab's title. */
function showLink(link: LinkState): void {
  const text = linkText(link);
  const mark = document.getElementById("live");
  if (mark) mark.textContent = text;
  document.documentElement.dataset.state = link.phase;
  document.title = link.phase === "live" || link.phase === "connecting" ? TITLE : `(${text}) ${TITLE}`;
}

/** Somebody else signed in from another tab: the header must not name the one before. */
function startOverAs(me: string): void {
  if (me === "" || me === document.body.dataset.user) return;
  if (isFirstInTab(`started over as ${me}`)) location.reload();
}

function linkText({ phase, heardAt }: LinkState): string {
  if (phase === "live") return "Live";
  if (phase === "connecting") return "Connecting…";
  if (phase === "stale") return heardAt > 0 ? "Reconnecting…" : "Connecting…";
  return heardAt > 0 ? `Offline since ${timeOfDay(heardAt)}` : "Offline";
}
