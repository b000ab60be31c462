/** The API tokens, with which programs come. */

import { Icon } from "../shared/icon";
import { fullMoment, moment } from "../shared/time";
import type { ApiToken } from "./account";
import { usePeople } from "./context";

export function Tokens() {
  const people = usePeople();
  const tokens = people.tokens.value;
  return (
    <section class="tokens" aria-labelledby="tokens-head">
      <div class="head">
        <h2 id="tokens-head">API tokens</h2>
        <button type="button" class="big" onClick={() => (people.question.value = { kind: "create-token" })}>
          <Icon name="add" />
          Make a token
        </button>
      </div>
      {tokens.length === 0 ? (
        <p class="hint">None. A program that hands in messages, or reads the board or the audit, comes with one of its own.</p>
      ) : (
        <Table tokens={tokens} />
      )}
    </section>
  );
}

function Table({ tokens }: { tokens: readonly ApiToken[] }) {
  return (
    <div class="log-frame">
      <table class="list" role="table">
        <caption class="hush">API tokens</caption>
        <thead role="rowgroup">
          <tr role="row">
            {["Token", "Account", "Scopes", "Ends", "Last used", "Change"].map((text) => (
              <th key={text} role="columnheader" scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {tokens.map((token) => (
            <Row key={token.id} token={token} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ token }: { token: ApiToken }) {
  const people = usePeople();
  return (
    <tr role="row" class={token.ended ? "out" : ""}>
      <th role="rowheader" scope="row" class="first-cell token-name">
        {token.name}
      </th>
      <td role="cell">{token.user}</td>
      <td role="cell" class="scopes-cell">
        {token.scopes.map((scope) => (
          <span key={scope} class="tag">
            {scope}
          </span>
        ))}
      </td>
      <td role="cell" class="time-cell">
        <span class="narrow-label">{token.ended ? "Ended " : "Ends "}</span>
        <Day at={token.expires_at} />
        {token.ended && <span class="tag warn">ended</span>}
      </td>
      <td role="cell" class="time-cell">
        <span class="narrow-label">Used </span>
        {token.last_used_at === null ? <span class="hint">not since the start</span> : <Moment at={token.last_used_at} />}
      </td>
      <td role="cell" class="does-cell">
        <button type="button" onClick={() => (people.question.value = { kind: "revoke", token })}>
          Revoke<span class="hush"> {token.name}</span>
        </button>
      </td>
    </tr>
  );
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

function Day({ at }: { at: string }) {
  // It ends with the day before.
  const last = Date.parse(at) - 1;
  return (
    <time dateTime={at} title={fullMoment(last)}>
      {day.format(last)}
    </time>
  );
}

function Moment({ at }: { at: string }) {
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={fullMoment(time)}>
      {moment(time, Date.now())}
    </time>
  );
}
