export type LetterCase = 'lower' | 'upper';

/** An input that the graph has gained: the text of input `of`, in one case. Whoever runs the graph feeds it. */
export interface CaseInput {
  readonly name: string;
  readonly of: string;
  readonly change: LetterCase;
}

/** Operators with graphs of their own, which may hold a normalizer. */
export const WITH_GRAPHS = ['Scan', 'Loop', 'If', 'SequenceMap'];

/** Text in one case, as Python's str.lower and str.upper have it: Unicode's full mapping, of no language. */
export function changeCase(text: string, change: LetterCase): string {
  return change === 'lower' ? text.toLowerCase() : text.toUpperCase();
}
