/** A user, as a badge and a name. */

import { hue, initials } from "./badge";

export function Who({ user, unsure = false }: { user: string; unsure?: boolean }) {
  return (
    <span class={unsure ? "who unsure" : "who"}>
      <span class="badge" data-hue={hue(user)} aria-hidden="true">
        {initials(user)}
      </span>
      <span class="who-name">{user}</span>
    </span>
  );
}
