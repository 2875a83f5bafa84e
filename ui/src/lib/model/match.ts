/** Which of many texts are meant by a few typed letters, and how well each fits. */

/**
 * How well a text fits what was typed: higher is better, `null` is not at all. Every word typed must occur; the
 * beginning of the text counts most, then the beginning of a word, then anywhere. Shorter texts win a tie.
 */
export function fit(typed: string, text: string): number | null {
  const lower = text.toLowerCase();
  let sum = 0;
  for (const word of typed.toLowerCase().split(/\s+/).filter((part) => part !== "")) {
    const best = places(lower, word).reduce((most, at) => Math.max(most, worth(text, at)), 0);
    if (best === 0) return null;
    sum += best;
  }
  return sum - Math.min(text.length, 500) / 1000;
}

function places(text: string, word: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(word); at >= 0 && found.length < 20; at = text.indexOf(word, at + 1)) found.push(at);
  return found;
}

function worth(text: string, at: number): number {
  if (at === 0) return 4;
  const [before, here] = [text[at - 1] ?? "", text[at] ?? ""];
  if (!/[\p{L}\p{N}]/u.test(before) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(here))) return 2;
  return 1;
}

/** The texts that fit best, best first; those that fit equally keep their order. */
export function bestOf<Row>(typed: string, rows: readonly Row[], text: (row: Row) => string, most: number): Row[] {
  return rows
    .map((row) => ({ row, fit: fit(typed, text(row)) }))
    .filter((found): found is { row: Row; fit: number } => found.fit !== null)
    .sort((a, b) => b.fit - a.fit)
    .slice(0, most)
    .map((found) => found.row);
}
