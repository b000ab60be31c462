/** The question that the board asks, if any. */

import { useBoard } from "./context";
import { HelpDialog } from "./help-dialog";
import { NoteDialog } from "./note-dialog";
import { TakeOverDialog } from "./take-over-dialog";

export function Dialogs() {
  const question = useBoard().question.value;
  if (!question) return null;
  if (question.kind === "help") return <HelpDialog />;
  if (question.kind === "note") return <NoteDialog row={question.row} />;
  return <TakeOverDialog row={question.row} />;
}
