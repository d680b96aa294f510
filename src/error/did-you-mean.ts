import { closest, distance } from 'fastest-levenshtein';

/** The known word that a person most likely meant, or undefined when none is near enough to be worth naming. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const best = closest(word, known);
  return distance(word.toLowerCase(), best.toLowerCase()) <= Math.max(1, Math.floor(best.length / 3)) ? best : undefined;
}
