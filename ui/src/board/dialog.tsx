/** What all dialogs have in common: the frame, sending once, a note, a problem. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useBoard } from "./context";
import { focusRow, isFocusLost } from "./focus";
import { MAX_NOTE_LENGTH } from "./model";
import type { Row } from "./row-state";

export function Dialog({ title, row, children }: { title: string; row?: Row; children: ComponentChildren }) {
  const { question } = useBoard();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  const closed = () => {
    question.value = null;
    if (row && isFocusLost()) focusRow(row);
  };
  return (
    <dialog ref={dialog} aria-labelledby="dialog-head" onClose={closed}>
      <h2 id="dialog-head">{title}</h2>
      {children}
    </dialog>
  );
}

/** Closes the dialog that a control stands in. */
export function close(event: Event): void {
  (event.currentTarget as HTMLElement).closest("dialog")?.close();
}

/** Sends once, where it may, and keeps the dialog with what was typed where it went wrong. */
export function useSending(maySend: boolean, send: () => Promise<string | null>) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy || !maySend) return;
    const dialog = (event.currentTarget as HTMLElement).closest("dialog");
    setBusy(true);
    const wrong = await send();
    setBusy(false);
    setProblem(wrong ?? "");
    if (!wrong) dialog?.close();
  };
  return { problem, isBusy, submit };
}

/** What went wrong; empty as long as nothing did. */
export function Problem({ text }: { text: string }) {
  return (
    <p class={text ? "problem" : ""} role="alert">
      {text}
    </p>
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
