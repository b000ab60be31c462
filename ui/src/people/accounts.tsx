/** The accounts: search, filters, and a row for each. */

import { counted, digits } from "../shared/count";
import { Icon } from "../shared/icon";
import { fullMoment, moment } from "../shared/time";
import { Who } from "../shared/who";
import { canBeInvited, isWaiting, roleIsFixed, type Account, type Show } from "./account";
import { usePeople } from "./context";
import { PAGE_ROWS } from "./people-state";

export function Accounts({ accounts }: { accounts: readonly Account[] }) {
  const people = usePeople();
  const waiting = people.waiting.value;
  const found = people.found.value;
  const shown = found.slice(0, people.limit.value);
  return (
    <section aria-labelledby="accounts-head">
      <div class="head">
        <h2 id="accounts-head">Accounts</h2>
        {waiting > 0 && (
          <button type="button" class="big" onClick={() => void people.inviteAll()}>
            Invite all without a password <span class="number">({digits(waiting)})</span>
          </button>
        )}
        <button type="button" class="primary big" onClick={() => (people.question.value = { kind: "add" })}>
          <Icon name="add" />
          Add account
        </button>
      </div>
      <Tools all={accounts.length} />
      <p class="found number" role="status">
        {found.length === accounts.length ? counted(found.length, "account") : `${digits(found.length)} of ${counted(accounts.length, "account")} shown`}
      </p>
      {shown.length > 0 && <Table accounts={shown} />}
      {found.length > shown.length && (
        <button type="button" class="more" onClick={() => (people.limit.value += PAGE_ROWS)}>
          Show more of them
        </button>
      )}
    </section>
  );
}

function Tools({ all }: { all: number }) {
  const people = usePeople();
  const filters: readonly (readonly [Show, string, number])[] = [
    ["all", "All", all],
    ["waiting", "No password", people.waiting.value],
    ["out", "Disabled", people.out.value],
  ];
  return (
    <div class="tools">
      <div class="search" role="search">
        <Icon name="find" />
        <input
          type="search"
          aria-label="Search people"
          placeholder="Name, role, reason"
          autocomplete="off"
          spellcheck={false}
          value={people.search}
          onInput={(event) => (people.search.value = event.currentTarget.value)}
        />
      </div>
      <div class="filters" role="group" aria-label="Show">
        {filters.map(([show, label, count]) => (
          <button key={show} type="button" aria-pressed={people.show.value === show} onClick={() => (people.show.value = show)}>
            {label} <span class="number">{digits(count)}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

function Table({ accounts }: { accounts: readonly Account[] }) {
  return (
    <div class="log-frame">
      <table class="list" role="table">
        <caption class="hush">Accounts</caption>
        <thead role="rowgroup">
          <tr role="row">
            {["Person", "Role", "State", "Last sign-in", "Change"].map((text) => (
              <th key={text} role="columnheader" scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {accounts.map((account) => (
            <Row key={account.name} account={account} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ account }: { account: Account }) {
  const isOut = account.status !== "active";
  return (
    <tr role="row" class={isOut ? "out" : ""}>
      <th role="rowheader" scope="row" class="first-cell">
        <Who user={account.name} />
      </th>
      <td role="cell" class="role-cell" title={roleIsFixed(account) ?? undefined}>
        {account.role}
        {account.role_source === "users_file" && <span class="hint"> by users.txt</span>}
        {account.role_source === "service_user" && <span class="hint"> by HC_USER</span>}
      </td>
      <td role="cell" class="state-cell">
        <State account={account} />
      </td>
      <td role="cell" class="time-cell">
        <span class="narrow-label">Last sign-in </span>
        <LastSignIn at={account.last_sign_in_at} />
      </td>
      <td role="cell" class="does-cell">
        <Actions account={account} />
      </td>
    </tr>
  );
}

function State({ account }: { account: Account }) {
  if (account.status === "taken_out") return <span class="tag warn">not in users.txt</span>;
  if (account.status === "disabled") {
    const by = account.disabled_by ? ` (${account.disabled_by})` : "";
    return (
      <>
        <span class="tag warn">disabled</span> <span class="hint">{`${account.reason ?? ""}${by}`}</span>
      </>
    );
  }
  if (account.invited_until) {
    const until = Date.parse(account.invited_until);
    return (
      <>
        {isWaiting(account) ? <span class="tag">no password</span> : "active"}{" "}
        <span class="hint" title={fullMoment(until)}>{`invited until ${moment(until, Date.now())}`}</span>
      </>
    );
  }
  return isWaiting(account) ? <span class="tag">no password</span> : <>active</>;
}

function LastSignIn({ at }: { at: string | null }) {
  if (at === null) return <span class="hint">never</span>;
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={fullMoment(time)}>
      {moment(time, Date.now())}
    </time>
  );
}

function Actions({ account }: { account: Account }) {
  const people = usePeople();
  const asks = (kind: "role" | "disable") => () => (people.question.value = { kind, account });
  const isFixed = account.role_source === "service_user" || account.name === document.body.dataset.user;
  return (
    <>
      {canBeInvited(account) && (
        <button type="button" onClick={() => void people.invite(account)}>
          Invite<span class="hush"> {account.name}</span>
        </button>
      )}
      {!isFixed && account.status === "active" && (
        <>
          {roleIsFixed(account) === null && (
            <button type="button" onClick={asks("role")}>
              Role<span class="hush"> of {account.name}</span>
            </button>
          )}
          <button type="button" onClick={asks("disable")}>
            Disable<span class="hush"> {account.name}</span>
          </button>
        </>
      )}
      {account.status === "disabled" && (
        <button type="button" onClick={() => void people.enable(account)}>
          Enable<span class="hush"> {account.name}</span>
        </button>
      )}
    </>
  );
}
