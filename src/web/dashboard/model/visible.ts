/** Of a long list the part that is drawn. */
export interface Visible {
  readonly first: number;
  /** Behind the last. */
  readonly end: number;
}

const BESIDE = 12;

/** Which rows of equal height a window shows, and some more on both sides. @param top how far it is scrolled @returns within [0, rows) */
export function visible(top: number, height: number, rowHeight: number, rows: number): Visible {
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight) - BESIDE, rows));
  const end = Math.min(rows, Math.max(first, Math.ceil((top + height) / rowHeight) + BESIDE));
  return { first, end };
}

/** Which row a key leads to. @returns undefined where the key moves nothing */
export function rowAfterKey(key: string, row: number, rows: number, page: number): number | undefined {
  const step: Readonly<Record<string, number>> = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + page,
    PageUp: row - page,
    Home: 0,
    End: rows - 1,
  };
  const to = step[key];
  return to === undefined || rows === 0 ? undefined : Math.max(0, Math.min(rows - 1, to));
}
