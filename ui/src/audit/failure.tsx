/** What went wrong, and a way to try again. */

import { Icon } from "../shared/icon";
import type { RequestFailed } from "./requests";

export function Failure({ problem, onRetry }: { problem: RequestFailed; onRetry: () => void }) {
  return (
    <div class="failure">
      <p class="problem" role="alert">
        <Icon name="warn" />
        <span>
          <b>{problem.title}</b>
          {problem.detail}
        </span>
      </p>
      <button type="button" class="big" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}
