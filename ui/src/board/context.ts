/** Hands the page's state to its parts. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { BoardState } from "./board-state";

export const BoardContext = createContext<BoardState | null>(null);

export function useBoard(): BoardState {
  const state = useContext(BoardContext);
  if (!state) throw new Error("a part of the board stands outside of it");
  return state;
}
