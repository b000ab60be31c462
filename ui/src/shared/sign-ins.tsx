/** Where one is signed in, and a way out of each; opened from the account menu of every page. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask, problemOf } from "./ask";
import { close, Modal, Problem } from "./modal";
import { fullMoment, moment } from "./time";

interface SignIn {
  readonly id: string;
  readonly at: string;
  readonly last_used_at: string;
  readonly address: string | null;
  readonly browser: string | null;
  readonly proof: "password" | "invitation" | "single_sign_on" | "nothing";
  readonly current: boolean;
}

/** Brings the menu's entry to life. */
export function offerSignIns(): void {
  const entry = document.querySelector<HTMLElement>("[data-sign-ins]");
  const menu = document.querySelector<HTMLDetailsElement>("details.account");
  entry?.addEventListener("click", () => {
    const place = document.body.appendChild(document.createElement("div"));
    const closed = () => {
      render(null, place);
      place.remove();
      menu?.querySelector("summary")?.focus();
    };
    if (menu) menu.open = false;
    render(<SignInsDialog onClosed={closed} />, place);
  });
}

function SignInsDialog({ onClosed }: { onClosed: () => void }) {
  const [list, setList] = useState<readonly SignIn[] | null>(null);
  const [problem, setProblem] = useState("");
  const load = async () => {
    const answer = (await ask("GET", "/api/v1/me/sign-ins")) as { sign_ins: SignIn[] };
    setList(answer.sign_ins);
  };
  const does = async (action: () => Promise<unknown>) => setProblem((await problemOf(action())) ?? "");
  const ends = (path: string) => does(() => ask("DELETE", path).then(load));
  useEffect(() => void does(load), []);
  const others = list?.filter((signIn) => !signIn.current) ?? [];
  return (
    <Modal title="Where you are signed in" onClosed={onClosed}>
      {list === null && problem === "" && <p class="loading">Loading…</p>}
      <ul class="sign-ins">
        {list?.map((signIn) => (
          <Entry key={signIn.id} signIn={signIn} onEnd={() => ends(`/api/v1/me/sign-ins/${signIn.id}`)} />
        ))}
      </ul>
      <Problem text={problem} />
      <div class="choices">
        {others.length > 1 && others[0]?.proof !== "nothing" && (
          <button type="button" class="big" onClick={() => void ends("/api/v1/me/sign-ins")}>
            Sign out everywhere else
          </button>
        )}
        <button type="button" class="big" autofocus onClick={close}>
          Close
        </button>
      </div>
    </Modal>
  );
}

function Entry({ signIn, onEnd }: { signIn: SignIn; onEnd: () => Promise<void> }) {
  const now = Date.now();
  const [at, used] = [Date.parse(signIn.at), Date.parse(signIn.last_used_at)];
  const browser = signIn.browser ?? "An unknown browser";
  return (
    <li>
      <div class="sign-in-what">
        <b>{browser}</b>
        {signIn.current && <span class="tag">this one</span>}
        {signIn.proof === "nothing" && <span class="tag">without a password</span>}
      </div>
      <p class="sign-in-where">
        {signIn.address ? `From ${signIn.address}, since ` : "Since "}
        <time dateTime={signIn.at} title={fullMoment(at)}>
          {moment(at, now)}
        </time>
        , last used{" "}
        <time dateTime={signIn.last_used_at} title={fullMoment(used)}>
          {moment(used, now)}
        </time>
      </p>
      {!signIn.current && (
        <button type="button" onClick={() => void onEnd()}>
          Sign out<span class="hush"> {browser} since {fullMoment(at)}</span>
        </button>
      )}
    </li>
  );
}
