/** A cell of a table: a number as measured, or a word for what could not be. */
export type Cell = number | string;

/** What a figure measured, for people and for JSON alike. */
export interface Table {
  /** Of each column: its name, and how many decimals people are shown. */
  readonly columns: readonly { readonly name: string; readonly decimals: number }[];
  readonly rows: readonly { readonly name: string; readonly values: Readonly<Record<string, Cell>> }[];
}

/** A promise about a figure. */
export interface Target {
  readonly what: string;
  readonly sense: 'at least' | 'at most';
  readonly limit: number;
  /** Written after the number: `x` for a ratio, `MB`, `ms`, `%`. */
  readonly unit: string;
}

/** A target beside what was measured; `undefined` when it could not be. */
export interface Judged extends Target {
  readonly measured: number | undefined;
  readonly reached: boolean | undefined;
}

export interface FigureResult {
  readonly table: Table;
  readonly targets: readonly Judged[];
  /** What a reader must know of this run: a peer that could not be installed, a generator at its limit. */
  readonly notes: readonly string[];
}

export function judge(target: Target, measured: number | undefined): Judged {
  if (measured === undefined || Number.isNaN(measured)) return { ...target, measured: undefined, reached: undefined };
  return {
    ...target,
    measured,
    reached: target.sense === 'at least' ? measured >= target.limit : measured <= target.limit,
  };
}
