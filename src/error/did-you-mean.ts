/** The known word that a person most likely meant, or undefined when none is near enough to be worth naming. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const longer = word.length >= 3 ? known.find((candidate) => candidate.startsWith(word)) : undefined;
  if (longer !== undefined) return longer;
  // When it is wanted: it fills a table of 256 kB when it is loaded, which a server's start need not wait for.
  const { closest, distance } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  const best = closest(word, known);
  return distance(word.toLowerCase(), best.toLowerCase()) <= Math.ceil(best.length / 3) ? best : undefined;
}
