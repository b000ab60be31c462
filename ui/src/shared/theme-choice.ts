/** Light, dark, or as the system has it. */

import { remember, remembered } from "./storage";

export type Theme = "system" | "light" | "dark";

export function chosenTheme(): Theme {
  const theme = remembered("theme");
  return theme === "light" || theme === "dark" ? theme : "system";
}

export function chooseTheme(theme: Theme): void {
  remember("theme", theme);
  putInForce(theme);
}

export function putInForce(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
}
