/** The page's state, for every part of it. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { PeopleState } from "./people-state";

export const PeopleContext = createContext<PeopleState | null>(null);

export function usePeople(): PeopleState {
  const people = useContext(PeopleContext);
  if (!people) throw new Error("the people page has its state around it");
  return people;
}
