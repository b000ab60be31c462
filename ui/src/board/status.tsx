/** What the page says about itself: the banner, findings, the line at the bottom. */

import { counted } from "../shared/count";
import { Icon } from "../shared/icon";
import { roughly, timeOfDay, timeWithSeconds } from "../shared/time";
import { At } from "./ago";
import { useBoard } from "./context";

export function Banner() {
  const { link, silentFor } = useBoard();
  const { phase, heardAt } = link.state.value;
  if (phase !== "stale" && phase !== "offline") return null;
  const [bold, rest] = bannerText(phase, heardAt, silentFor.value);
  return (
    <section class="banner" aria-label="Connection to the server">
      <p>
        <b>{bold}</b> {rest}
      </p>
    </section>
  );
}

function bannerText(phase: "stale" | "offline", heardAt: number, silentFor: number): readonly [string, string] {
  if (heardAt === 0) return ["Not connected yet.", "The server does not answer. Trying again until it does."];
  if (phase === "stale") {
    const seen = `What you see is from ${timeWithSeconds(heardAt)} and may be wrong.`;
    return ["Not live.", `${seen} Nothing can be changed until the server answers.`];
  }
  const age = `What you see is ${roughly(silentFor)} old and may be wrong.`;
  return [`Offline since ${timeOfDay(heardAt)}.`, `${age} Trying again until the server answers.`];
}

export function Findings() {
  const { findings } = useBoard();
  const list = findings.value;
  if (list.length === 0) return null;
  return (
    <details class="findings">
      <summary>
        <Icon name="warn" />
        <b>{counted(list.length, "finding")}</b>
        <Icon name="fold" />
      </summary>
      <ul>
        {list.map((finding) => (
          <li key={`${finding.part} ${finding.code} ${finding.detail}`}>
            <b>{finding.part}</b>
            <span>{finding.detail}</span>
            <small>
              since <At since={finding.since} />
            </small>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Results in sight, and news for the ear: one live region, so that they never talk over each other. */
export function StatusLine() {
  const { speaker, question } = useBoard();
  const said = speaker.said.value;
  return (
    <footer class={said ? "line speaks" : "line"}>
      <div class="says" role="status" aria-atomic="false">
        <p class={said?.kind === "refused" ? "said no" : "said"}>
          {said && <Icon name={said.kind === "refused" ? "warn" : "done"} />}
          {said && <span key={said.count}>{said.text}</span>}
        </p>
        <p class="hush">{speaker.heard}</p>
      </div>
      <p class="hints" aria-hidden="true">
        <span><kbd>/</kbd> search</span>
        <span><kbd>j</kbd> <kbd>k</kbd> move</span>
        <span><kbd>Space</kbd> check</span>
      </p>
      <button type="button" class="plain help" onClick={() => (question.value = { kind: "help" })}>
        <kbd aria-hidden="true">?</kbd> Keys
      </button>
    </footer>
  );
}

export function EmptyList() {
  return (
    <section class="empty">
      <h2>No connections yet</h2>
      <p>
        The list <code>sessions.csv</code> in the configuration folder is empty. Write one connection a line, main and
        sub name, and save. It is on this page two seconds later.
      </p>
      <pre>{"vpn main 1;vpn sub 1\nvpn main 1;vpn sub 2;3"}</pre>
      <p>The third field says how many people may be on it at once.</p>
    </section>
  );
}

export function NothingFound() {
  const { roster } = useBoard();
  const search = roster.search.value.trim();
  const clear = () => {
    roster.search.value = "";
    roster.show.value = "all";
    document.getElementById("search")?.focus();
  };
  return (
    <section class="empty nothing">
      <h2>Nothing to show</h2>
      <p>{search ? `No connection, person or note here matches “${search}”.` : nothingIn(roster.show.value)}</p>
      <button type="button" class="big" onClick={clear}>
        Show all
      </button>
    </section>
  );
}

function nothingIn(show: string): string {
  return show === "mine" ? "You are on no connection." : "Nobody is on any connection.";
}
