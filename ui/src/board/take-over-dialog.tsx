/** Asks once before somebody else's session ends for mine. */

import { useState } from "preact/hooks";
import { Who } from "../shared/who";
import { Ago, At } from "./ago";
import { useBoard } from "./context";
import { close, Dialog, NoteField, Problem, useSending } from "./dialog";
import { isSameAccount, type Session } from "./model";
import { listed } from "./news";
import type { Row } from "./row-state";

export function TakeOverDialog({ row }: { row: Row }) {
  const board = useBoard();
  const me = board.roster.me.value;
  const view = row.view.value;
  const others = view.sessions.filter((session) => !isSameAccount(session.user, me));
  const [chosenId, choose] = useState(others[0]?.id ?? "");
  const [note, setNote] = useState("");
  const chosen = others.find((session) => session.id === chosenId);
  const sending = useSending(chosen !== undefined, () => board.takeOver(row, chosenId, note));
  const problem = chosen || sending.isBusy ? sending.problem : whyNot(row, others);
  return (
    <Dialog title={others.length === 1 ? `Take over from ${others[0]?.user}?` : `Take over ${row.name}?`} row={row}>
      <form onSubmit={sending.submit}>
        {others.length > 1 || (others.length === 1 && !chosen) ? (
          <Choice sessions={others} chosenId={chosenId} onChoose={choose} />
        ) : (
          others[0] && <Facts row={row} session={others[0]} />
        )}
        {chosen && (
          <p>
            {chosen.user}’s session ends and yours begins in the same moment. {chosen.user} sees it at once, and the
            audit says <q>taken over by {me}</q>.
          </p>
        )}
        <NoteField label="Your note or ticket (may stay empty)" note={note} onNote={setNote} />
        <Problem text={problem} />
        <div class="choices">
          <button type="button" class="big" onClick={close}>
            Cancel
          </button>
          <button class="primary big" aria-disabled={!chosen || sending.isBusy || !board.isLive.value}>
            Take over
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function whyNot(row: Row, others: readonly Session[]): string {
  const name = row.name;
  if (others.length === 0) return `${name} has become free: close this, and check it.`;
  return `Whom you chose has left. On ${name} now: ${listed(others.map((session) => session.user))}.`;
}

function Facts({ row, session }: { row: Row; session: Session }) {
  return (
    <dl class="facts">
      <dt>Connection</dt>
      <dd>
        <b>{row.name}</b>
      </dd>
      <dt>On it</dt>
      <dd>
        <Who user={session.user} />
      </dd>
      <dt>Since</dt>
      <dd key={session.id}>
        <At since={session.since} />, for <Ago since={session.since} />
      </dd>
      <dt>Note</dt>
      <dd>{session.note || "none"}</dd>
    </dl>
  );
}

interface ChoiceProps {
  readonly sessions: readonly Session[];
  readonly chosenId: string;
  readonly onChoose: (id: string) => void;
}

function Choice({ sessions, chosenId, onChoose }: ChoiceProps) {
  return (
    <fieldset class="choice">
      <legend>From whom</legend>
      {sessions.map((session) => (
        <label key={session.id}>
          <input
            type="radio"
            name="session"
            checked={session.id === chosenId}
            onChange={() => onChoose(session.id)}
          />
          <Who user={session.user} />
          <small>
            since <At since={session.since} />
            {session.note && ` · ${session.note}`}
          </small>
        </label>
      ))}
    </fieldset>
  );
}
