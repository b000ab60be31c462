/** What the page asks about API tokens. */

import { useState } from "preact/hooks";
import { Modal, Problem, useSending } from "../shared/modal";
import { SecretField } from "../shared/secret-field";
import { endOfDay, inAYear, SCOPES, type ApiToken, type Scope } from "./account";
import { usePeople } from "./context";
import { Choices } from "./choices";

export function CreateToken() {
  const people = usePeople();
  const [name, setName] = useState("");
  const [user, setUser] = useState(document.body.dataset.user ?? "");
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const [last, setLast] = useState(inAYear(Date.now()));
  const sending = useSending(true, () => people.createToken({ user, name: name.trim(), scopes, expires_at: endOfDay(last) }));
  const active = (people.accounts.value ?? []).filter((account) => account.status === "active");
  return (
    <Modal title="Make an API token" onClosed={() => people.answered()}>
      <form onSubmit={sending.submit}>
        <label class="field">
          <span>What it is for</span>
          <input type="text" autocomplete="off" autofocus required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>Account as which it acts</span>
          <select value={user} onChange={(event) => setUser(event.currentTarget.value)}>
            {active.map((account) => (
              <option key={account.name}>{account.name}</option>
            ))}
          </select>
        </label>
        <ScopeChoice scopes={scopes} onScopes={setScopes} />
        <label class="field">
          <span>Last day</span>
          <input type="date" required value={last} onInput={(event) => setLast(event.currentTarget.value)} />
        </label>
        <Problem text={sending.problem} />
        <Choices send="Make token" isBusy={sending.isBusy} />
      </form>
    </Modal>
  );
}

function ScopeChoice({ scopes, onScopes }: { scopes: readonly Scope[]; onScopes: (scopes: readonly Scope[]) => void }) {
  const toggle = (scope: Scope) =>
    onScopes(scopes.includes(scope) ? scopes.filter((other) => other !== scope) : [...scopes, scope]);
  return (
    <fieldset class="choice">
      <legend>What it may be used for</legend>
      {SCOPES.map(([scope, use]) => (
        <label key={scope}>
          <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
          <span>{scope}</span>
          <small>{use}</small>
        </label>
      ))}
    </fieldset>
  );
}

export function Created({ name, token }: { name: string; token: string }) {
  const people = usePeople();
  return (
    <Modal title={`Token ${name}`} onClosed={() => people.answered()}>
      <form method="dialog">
        <SecretField label="Token" value={token} />
        <p class="hint">It is shown this once; only a hash of it is kept. Give it to the program, and to nobody else.</p>
        <div class="choices">
          <button class="big">Close</button>
        </div>
      </form>
    </Modal>
  );
}

export function Revoke({ token }: { token: ApiToken }) {
  const people = usePeople();
  const sending = useSending(true, () => people.revoke(token));
  return (
    <Modal title={`Revoke ${token.name}`} onClosed={() => people.answered()}>
      <form onSubmit={sending.submit}>
        <p class="hint">Programs that come with this token of {token.user} are refused from then on.</p>
        <Problem text={sending.problem} />
        <Choices send="Revoke token" isBusy={sending.isBusy} />
      </form>
    </Modal>
  );
}
