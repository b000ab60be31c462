/** Searching as people type: without case and accents, all words, anywhere. */

/** Lower case and without accents, so that `muller` finds `Müller`. */
export function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{Mark}/gu, "").toLowerCase();
}

/** The words that a search asks for; a row must have them all. */
export function wordsOf(search: string): string[] {
  return folded(search).split(/\s+/).filter(Boolean);
}

/** Whether a text, already folded, has all the words. */
export function hasWords(text: string, words: readonly string[]): boolean {
  return words.every((word) => text.includes(word));
}
