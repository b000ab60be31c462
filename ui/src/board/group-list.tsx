/** The groups, by main name, and their lines. */

import { useComputed } from "@preact/signals";
import { Icon } from "../shared/icon";
import { useBoard } from "./context";
import type { Group } from "./roster";
import { RowItem } from "./row-item";

/** Above this many lines, one pip a line says less than the count beside it. */
const MOST_PIPS = 40;

export function GroupList() {
  const { roster } = useBoard();
  return (
    <div class="groups" id="groups">
      {roster.groups.value.map((group, at) => (
        <GroupSection key={group.main} group={group} id={`group-${at}`} />
      ))}
    </div>
  );
}

function GroupSection({ group, id }: { group: Group; id: string }) {
  const { roster } = useBoard();
  const isHidden = useComputed(() => group.items.every((row) => row.hidden.value));
  const look = useComputed(() => (roster.foldedGroups.value.has(group.main) ? "group folded" : "group"));
  return (
    <section class={look} hidden={isHidden} aria-labelledby={`${id}-head`}>
      <GroupHead group={group} id={id} />
      <ul class="rows" id={id}>
        {group.items.map((row) => (
          <RowItem key={row.id} row={row} />
        ))}
      </ul>
    </section>
  );
}

function GroupHead({ group, id }: { group: Group; id: string }) {
  const { roster } = useBoard();
  const isFolded = roster.foldedGroups.value.has(group.main);
  const views = group.items.map((row) => row.view.value);
  const used = views.filter((view) => view.sessions.length > 0 || view.arriving).length;
  return (
    <h2 class="group-head" id={`${id}-head`}>
      <button
        type="button"
        data-group={group.main}
        aria-expanded={!isFolded}
        aria-controls={id}
        onClick={() => roster.fold(group.main, !isFolded)}
      >
        <Icon name="fold" />
        <span class="group-name">{group.main}</span>{" "}
        {views.length <= MOST_PIPS && (
          <span class="pips" aria-hidden="true">
            {views.map((view) => (
              <span class={pipOf(view.state)} />
            ))}
          </span>
        )}
        <span class="count">
          in use {used} of {views.length}
        </span>
      </button>
    </h2>
  );
}

function pipOf(state: string): string {
  if (state === "my") return "my";
  return state === "taken" || state === "part" ? "on" : "";
}
