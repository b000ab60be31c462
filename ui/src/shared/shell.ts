/** Brings the header that the server wrote to life: badge, colours, sign-ins, a menu that closes. */

import { hue, initials } from "./badge";
import { offerSignIns } from "./sign-ins";
import { chooseTheme, chosenTheme, type Theme } from "./theme-choice";

export function startShell(): void {
  paintBadges();
  offerThemes();
  offerSignIns();
  closeMenuFromOutside();
}

function paintBadges(): void {
  for (const badge of document.querySelectorAll<HTMLElement>("[data-badge]")) {
    const user = badge.dataset.badge ?? "";
    badge.textContent = initials(user);
    badge.dataset.hue = String(hue(user));
  }
}

function offerThemes(): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("[data-theme-choice]")];
  const mark = (theme: string) => {
    for (const button of buttons) button.ariaPressed = String(button.dataset.themeChoice === theme);
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const theme = button.dataset.themeChoice as Theme;
      chooseTheme(theme);
      mark(theme);
    });
  }
  mark(chosenTheme());
}

function closeMenuFromOutside(): void {
  const menu = document.querySelector<HTMLDetailsElement>("details.account");
  if (!menu) return;
  document.addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target as Node)) menu.open = false;
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget as Node)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}
