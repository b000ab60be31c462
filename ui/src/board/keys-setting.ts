/** Whether single keys do something; some people's tools type them by accident. */

import { signal } from "@preact/signals";
import { remember, remembered } from "../shared/storage";

export const keysAreOn = signal(remembered("keys") !== "off");

export function setKeys(areOn: boolean): void {
  keysAreOn.value = areOn;
  remember("keys", areOn ? "on" : "off");
}
