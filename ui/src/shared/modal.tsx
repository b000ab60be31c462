/** A dialog over the page: the frame, sending once, a problem. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

interface ModalProps {
  readonly title: string;
  readonly onClosed: () => void;
  readonly children: ComponentChildren;
}

export function Modal({ title, onClosed, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog-head" onClose={onClosed}>
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
