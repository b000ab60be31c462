/** What the board's dialogs have in common: the frame, and a note. */

import type { ComponentChildren } from "preact";
import { Modal } from "../shared/modal";
import { useBoard } from "./context";
import { focusRow, isFocusLost } from "./focus";
import { MAX_NOTE_LENGTH } from "./model";
import type { Row } from "./row-state";

export { close, Problem, useSending } from "../shared/modal";

export function Dialog({ title, row, children }: { title: string; row?: Row; children: ComponentChildren }) {
  const { question } = useBoard();
  const closed = () => {
    question.value = null;
    if (row && isFocusLost()) focusRow(row);
  };
  return (
    <Modal title={title} onClosed={closed}>
      {children}
    </Modal>
  );
}

export function NoteField({ label, note, onNote }: { label: string; note: string; onNote: (note: string) => void }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="text"
        autocomplete="off"
        autofocus
        maxLength={MAX_NOTE_LENGTH}
        value={note}
        onInput={(event) => onNote(event.currentTarget.value)}
      />
    </label>
  );
}
