/** The two ends of a dialog that changes something. */

import { close } from "../shared/modal";

export function Choices({ send, isBusy }: { send: string; isBusy: boolean }) {
  return (
    <div class="choices">
      <button type="button" class="big" onClick={close}>
        Cancel
      </button>
      <button class="primary big" aria-disabled={isBusy}>
        {send}
      </button>
    </div>
  );
}
