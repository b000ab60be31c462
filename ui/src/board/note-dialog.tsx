/** Writes the note of my session. */

import { useState } from "preact/hooks";
import { useBoard } from "./context";
import { close, Dialog, NoteField, Problem, useSending } from "./dialog";
import type { Row } from "./row-state";

export function NoteDialog({ row }: { row: Row }) {
  const board = useBoard();
  const mine = row.view.value.mine;
  const [note, setNote] = useState(mine?.note ?? "");
  const sending = useSending(mine !== undefined, () => board.setNote(row, note));
  const isLost = !mine && !sending.isBusy;
  return (
    <Dialog title={`Note on ${row.name}`} row={row}>
      <form onSubmit={sending.submit}>
        <NoteField label="Note or ticket (may stay empty)" note={note} onNote={setNote} />
        <Problem text={isLost ? "Your session has ended, so it takes no note any more." : sending.problem} />
        <div class="choices">
          <button type="button" class="big" onClick={close}>
            Cancel
          </button>
          <button class="primary big" aria-disabled={isLost || sending.isBusy || !board.isLive.value}>
            Save note
          </button>
        </div>
      </form>
    </Dialog>
  );
}
