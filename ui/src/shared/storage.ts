/** What this browser remembers. A browser that forbids it forgets, and nothing fails. */

const PREFIX = "vpn-sessions.";

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Only this page's lifetime then.
  }
}

/** Whether this is the first time in this tab; it is not, the next time. */
export function isFirstInTab(name: string): boolean {
  try {
    const isFirst = sessionStorage.getItem(PREFIX + name) === null;
    sessionStorage.setItem(PREFIX + name, "");
    return isFirst;
  } catch {
    return false;
  }
}

/** A remembered list of texts; empty where there is none, or not one that we wrote. */
export function rememberedList(name: string): string[] {
  try {
    const list: unknown = JSON.parse(remembered(name) ?? "[]");
    return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
  } catch {
    return [];
  }
}
