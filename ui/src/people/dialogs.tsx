/** The question that the page asks, if any: what concerns accounts. */

import { useState } from "preact/hooks";
import { Modal, Problem, useSending } from "../shared/modal";
import { SecretField } from "../shared/secret-field";
import { fullMoment } from "../shared/time";
import { ROLES, type Account, type Role } from "./account";
import { Choices } from "./choices";
import { usePeople } from "./context";
import type { Invitation } from "./people-state";
import { CreateToken, Created, Revoke } from "./token-dialogs";

export function Dialogs() {
  const people = usePeople();
  const question = people.question.value;
  switch (question?.kind) {
    case undefined:
      return null;
    case "add":
      return <Add />;
    case "role":
      return <ChangeRole account={question.account} />;
    case "disable":
      return <Disable account={question.account} />;
    case "invited":
      return <Invited invitations={question.invitations} />;
    case "create-token":
      return <CreateToken />;
    case "token":
      return <Created name={question.name} token={question.token} />;
    case "revoke":
      return <Revoke token={question.token} />;
  }
}

function Add() {
  const people = usePeople();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("member");
  const sending = useSending(true, () => people.add(name.trim(), role));
  return (
    <Modal title="Add an account" onClosed={() => people.answered()}>
      <form onSubmit={sending.submit}>
        <label class="field">
          <span>Name</span>
          <input type="text" autocomplete="off" autocapitalize="none" spellcheck={false} autofocus required value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <RoleChoice role={role} onRole={setRole} />
        <Problem text={sending.problem} />
        <Choices send="Add account" isBusy={sending.isBusy} />
      </form>
    </Modal>
  );
}

function ChangeRole({ account }: { account: Account }) {
  const people = usePeople();
  const [role, setRole] = useState<Role>(account.role);
  const sending = useSending(true, () => people.setRole(account, role));
  return (
    <Modal title={`Role of ${account.name}`} onClosed={() => people.answered()}>
      <form onSubmit={sending.submit}>
        <RoleChoice role={role} onRole={setRole} />
        <p class="hint">With another role, {account.name} is signed out everywhere.</p>
        <Problem text={sending.problem} />
        <Choices send="Save role" isBusy={sending.isBusy} />
      </form>
    </Modal>
  );
}

function RoleChoice({ role, onRole }: { role: Role; onRole: (role: Role) => void }) {
  return (
    <fieldset class="choice">
      <legend>Role</legend>
      {ROLES.map(([name, may]) => (
        <label key={name}>
          <input type="radio" name="role" value={name} checked={role === name} onChange={() => onRole(name)} />
          <span>{name}</span>
          <small>{may}</small>
        </label>
      ))}
    </fieldset>
  );
}

function Disable({ account }: { account: Account }) {
  const people = usePeople();
  const [reason, setReason] = useState("");
  const sending = useSending(true, () => people.disable(account, reason.trim()));
  return (
    <Modal title={`Disable ${account.name}`} onClosed={() => people.answered()}>
      <form onSubmit={sending.submit}>
        <p class="hint">{account.name} is signed out everywhere, and cannot come in until the account is enabled again.</p>
        <label class="field">
          <span>Reason</span>
          <input type="text" autocomplete="off" autofocus required maxLength={200} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <Problem text={sending.problem} />
        <Choices send="Disable account" isBusy={sending.isBusy} />
      </form>
    </Modal>
  );
}

function Invited({ invitations }: { invitations: readonly Invitation[] }) {
  const people = usePeople();
  const [first] = invitations;
  if (!first) return null;
  const isOne = invitations.length === 1;
  const until = fullMoment(Date.parse(first.expires_at));
  return (
    <Modal title={isOne ? `Invitation for ${first.user}` : `${invitations.length} invitations`} onClosed={() => people.answered()}>
      <form method="dialog">
        {isOne ? (
          <SecretField label="Link" value={first.link} />
        ) : (
          <ManyLinks invitations={invitations} />
        )}
        <p class="hint">{`Whoever opens a link chooses that account's password: once, until ${until}. It is shown this once.`}</p>
        <div class="choices">
          <button class="big">Close</button>
        </div>
      </form>
    </Modal>
  );
}

function ManyLinks({ invitations }: { invitations: readonly Invitation[] }) {
  const lines = invitations.map(({ user, link }) => `${user}\t${link}`).join("\n");
  const [told, setTold] = useState("");
  const copy = () => {
    void navigator.clipboard?.writeText(lines).then(() => setTold("Copied all."), () => setTold("Copy them by hand."));
  };
  return (
    <div class="field">
      <label for="links">A name and a link a line</label>
      <textarea id="links" readOnly rows={Math.min(invitations.length + 1, 8)} value={lines} spellcheck={false} onFocus={(event) => event.currentTarget.select()} />
      <div class="secret-line">
        <button type="button" class="big" autofocus onClick={copy}>
          Copy all
        </button>
        <p class="secret-told" role="status">{told}</p>
      </div>
    </div>
  );
}
