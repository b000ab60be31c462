/** A time that runs while the board is live, and is absolute while it is not. */

import { useComputed } from "@preact/signals";
import { fullMoment, lasted, moment } from "../shared/time";
import { useBoard } from "./context";

interface Props {
  readonly since: string;
  /** What stands before the span, and before the moment. */
  readonly running?: string;
  readonly standing?: string;
}

export function Ago({ since, running = "", standing = "" }: Props) {
  const { isLive, now } = useBoard();
  const at = Date.parse(since);
  const text = useComputed(() =>
    isLive.value ? running + lasted(now.value - at) : standing + moment(at, now.value),
  );
  return (
    <time dateTime={since} title={fullMoment(at)}>
      {text}
    </time>
  );
}

/** A moment: `09:12`, `Fri 16:30`. */
export function At({ since }: { since: string }) {
  const { now } = useBoard();
  const at = Date.parse(since);
  const text = useComputed(() => moment(at, now.value));
  return (
    <time dateTime={since} title={fullMoment(at)}>
      {text}
    </time>
  );
}
