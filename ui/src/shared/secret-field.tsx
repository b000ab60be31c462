/** Something that is shown once, to be copied. */

import { useRef, useState } from "preact/hooks";
import { Icon } from "./icon";

export function SecretField({ label, value }: { label: string; value: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState("");
  const copy = async () => setTold((await copied(field.current)) ? "Copied." : "Copy it by hand: it is selected.");
  return (
    <div class="field secret">
      <label for="secret">{label}</label>
      <div class="secret-line">
        <input id="secret" ref={field} type="text" readOnly spellcheck={false} value={value} onFocus={selected} />
        <button type="button" class="big" autofocus onClick={() => void copy()}>
          <Icon name="copy" />
          Copy
        </button>
      </div>
      <p class="secret-told" role="status">
        {told}
      </p>
    </div>
  );
}

function selected(event: FocusEvent): void {
  (event.currentTarget as HTMLInputElement).select();
}

/** Without TLS, browsers give scripts no clipboard; the older way works there. */
async function copied(field: HTMLInputElement | null): Promise<boolean> {
  if (!field) return false;
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}
