/** Tells the keys, and switches the single ones off. */

import { close, Dialog } from "./dialog";
import { keysAreOn, setKeys } from "./keys-setting";

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [["/"], "Search"],
  [["j", "k"], "Next and previous connection"],
  [["Space"], "Check or uncheck"],
  [["t"], "Take over"],
  [["n"], "Note"],
  [["f"], "Fold or unfold the group"],
  [["?"], "This help"],
  [["Esc"], "Leave the search or a dialog"],
];

export function HelpDialog() {
  return (
    <Dialog title="Keys">
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="switch">
        <input type="checkbox" checked={keysAreOn.value} onChange={(event) => setKeys(event.currentTarget.checked)} />
        Single keys are on
      </label>
      <div class="choices">
        <button type="button" class="big" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
