/** Two letters and one of eight hues for a user, always the same for the same name. */

const HUES = 8;

export function initials(user: string): string {
  const words = user.split(/[\s._-]+/u).filter(Boolean);
  const [first = "?", second] = words;
  const letters = second ? [...first].slice(0, 1).concat([...second].slice(0, 1)) : [...first].slice(0, 2);
  return letters.join("").toLocaleUpperCase();
}

export function hue(user: string): number {
  let hash = 2166136261;
  for (const character of user.toLowerCase()) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  }
  return (hash >>> 13) % HUES;
}
