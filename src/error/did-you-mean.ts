import { closest, distance } from 'fastest-levenshtein';

/** The known word that a person most likely meant, or undefined when none is near enough to be worth naming. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const longer = word.length >= 3 ? known.find((candidate) => candidate.startsWith(word)) : undefined;
  if (longer !== undefined) return longer;
  const best = closest(word, known);
  return distance(word.toLowerCase(), best.toLowerCase()) <= Math.ceil(best.length / 3) ? best : undefined;
}
