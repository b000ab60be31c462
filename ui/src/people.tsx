/** The people page: accounts, invitations and API tokens, for admins. */

import { render } from "preact";
import { Accounts } from "./people/accounts";
import { PeopleContext } from "./people/context";
import { Dialogs } from "./people/dialogs";
import { PeopleState } from "./people/people-state";
import { Tokens } from "./people/tokens";
import { Icon } from "./shared/icon";
import { startShell } from "./shared/shell";

function App({ people }: { people: PeopleState }) {
  const accounts = people.accounts.value;
  return (
    <main class="people" id="content" tabIndex={-1}>
      <h1 class="hush">People</h1>
      <Failure people={people} />
      {accounts === null && people.problem.value === null && <p class="loading">Loading the accounts…</p>}
      {accounts && <Accounts accounts={accounts} />}
      {accounts && <Tokens />}
      <p class={people.told.value ? "told-last" : ""} role="status">
        {people.told.value}
      </p>
      <Dialogs />
    </main>
  );
}

function Failure({ people }: { people: PeopleState }) {
  const problem = people.problem.value;
  if (!problem) return null;
  return (
    <div class="failure">
      <p class="problem" role="alert">
        <Icon name="warn" />
        <span>
          <b>{problem.title}</b>
          {problem.detail}
        </span>
      </p>
      <button type="button" class="big" onClick={() => void people.load()}>
        Try again
      </button>
    </div>
  );
}

startShell();
const people = new PeopleState();
void people.load();
// What others changed meanwhile shows when one comes back to the page.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void people.load();
});
const place = document.getElementById("app");
if (place) {
  place.replaceChildren();
  render(
    <PeopleContext.Provider value={people}>
      <App people={people} />
    </PeopleContext.Provider>,
    place,
  );
}
