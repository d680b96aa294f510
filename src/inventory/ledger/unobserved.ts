import type { Warning } from '../row.ts';

/** A cluster's watches around a time; ms since 1970. */
export interface WatchAround {
  /** Its number in the ledger. */
  readonly cluster: number;
  readonly context: string;
  /** Until when the last watch went that began before. */
  readonly last: number | undefined;
  /** When the first began after. */
  readonly next: number | undefined;
  /** Whether that time was watched. */
  readonly covers: boolean;
}

/** What is to be said of an answer about a time: of which clusters nobody knows it for sure. */
export function unobserved(
  watches: readonly WatchAround[],
  servers: readonly { readonly context: string; readonly observed: boolean }[],
): Warning[] {
  if (watches.length === 0)
    return [
      {
        about: 'ledger',
        code: 'LEDGER_EMPTY',
        message: 'nothing has been written into it',
        hint: 'inlay hub writes it while it runs, inlay inventory --record once.',
      },
    ];
  return watches.flatMap(({ context, last, next, covers }) => {
    if (covers) return [];
    const unsure = servers.filter((row) => row.context === context && !row.observed).length;
    const rows = `${unsure} ${unsure === 1 ? 'server is' : 'servers are'} as seen before, or as the cluster told later`;
    const when = last === undefined ? before(next) : between(last, next);
    return [{ about: context, code: 'UNOBSERVED', message: unsure === 0 ? when : `${when}; ${rows}` }];
  });
}

function before(next: number | undefined): string {
  return next === undefined ? 'nobody watched it then' : `nobody watched it before ${iso(next)}`;
}

function between(last: number, next: number | undefined): string {
  return next === undefined
    ? `nobody has watched it since ${iso(last)}`
    : `nobody watched it from ${iso(last)} to ${iso(next)}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
