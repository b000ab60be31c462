/** Search, filters, and folding all. */

import { useEffect } from "preact/hooks";
import { Icon } from "../shared/icon";
import { useBoard } from "./context";
import { focusRow } from "./focus";
import type { Show } from "./filter";

const FILTERS: readonly (readonly [Show, string])[] = [
  ["all", "All"],
  ["used", "In use"],
  ["mine", "Mine"],
];

export function Tools() {
  const { roster } = useBoard();
  const counts = roster.counts.value;
  const isAllFolded = roster.groups.value.every((group) => roster.foldedGroups.value.has(group.main));
  return (
    <div class="tools">
      <Search />
      <div class="filters" role="group" aria-label="Show">
        {FILTERS.map(([show, label]) => (
          <button
            key={show}
            type="button"
            aria-pressed={roster.show.value === show}
            onClick={() => (roster.show.value = show)}
          >
            {label} <span class="number">{counts[show]}</span>
          </button>
        ))}
      </div>
      {roster.isFlat.value ? (
        <Found />
      ) : (
        <button type="button" class="plain" onClick={() => roster.foldAll(!isAllFolded)}>
          {isAllFolded ? "Unfold all" : "Fold all"}
        </button>
      )}
    </div>
  );
}

function Search() {
  const { roster } = useBoard();
  const toFirst = () => {
    const [first] = roster.visibleRows();
    if (first) focusRow(first);
  };
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLInputElement }) => {
    if (event.key === "Escape") {
      event.preventDefault();
      if (roster.search.peek()) roster.search.value = "";
      else toFirst();
    }
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      toFirst();
    }
  };
  return (
    <div class="search" role="search">
      <Icon name="find" />
      <input
        type="search"
        id="search"
        aria-label="Search connections, people and notes"
        placeholder="Connection, person, ticket"
        autocomplete="off"
        spellcheck={false}
        value={roster.search}
        onInput={(event) => (roster.search.value = event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}

/** How long typing must pause, in ms, until the number of hits is heard. */
const HEARD_AFTER_MS = 800;

function Found() {
  const { roster, speaker } = useBoard();
  const count = roster.shownCount.value;
  const text = `${count} of ${roster.rows.value.length} shown`;
  useEffect(() => {
    const timer = setTimeout(() => speaker.whisper(text), HEARD_AFTER_MS);
    return () => clearTimeout(timer);
  }, [roster.search.value, roster.show.value]);
  return <p class="found number">{text}</p>;
}
