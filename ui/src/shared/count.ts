/** Numbers of things, for people. */

/** `10,000`. */
export function digits(count: number): string {
  return count.toLocaleString("en-GB");
}

/** `1 row`, `10,000 rows`. */
export function counted(count: number, word: string): string {
  return `${digits(count)} ${word}${count === 1 ? "" : "s"}`;
}
