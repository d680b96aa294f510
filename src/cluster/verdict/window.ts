import { isInlayError } from '../../error/index.ts';
import { readCounts } from './counts.ts';
import { parseExposition } from './exposition.ts';
import { type Counters, increase, type Page, pageOf, sum } from './page.ts';
import type { Restart, RoleWindow } from './role-window.ts';
import { spreadOf } from './spread.ts';

/** A pod's page at a time, or why there is none. */
export type Scrape = {
  readonly pod: string;
  /** Milliseconds since 1970. */
  readonly at: number;
} & ({ readonly page: Page } | { readonly unreadable: string });

/** Reads a pod's page: one that cannot be read is a scrape that says why, never a throw. */
export function scrapeOf(pod: string, at: number, text: string): Scrape {
  try {
    const page = pageOf(parseExposition(text));
    return page ? { pod, at, page } : { pod, at, unreadable: "its page has none of inlay's metrics" };
  } catch (error) {
    if (!isInlayError(error)) throw error;
    return { pod, at, unreadable: error.message };
  }
}

/** What the pages do not say. */
export interface WindowFacts {
  /** Scrapes between start and end: what pods counted that are gone at the end, the most memory, restarts. */
  readonly between?: readonly (readonly Scrape[])[];
  /** Pods that were there at the start, though not in its round (not Ready, say): they count from where they were first read. */
  readonly there?: readonly string[];
  /** Container restarts in the window, from the pods' status. */
  readonly restarts?: readonly Restart[];
  /** `limits.memory` of the container. */
  readonly memoryLimitBytes?: number;
}

/**
 * What the pods of a role did between two rounds of scrapes.
 *
 * - A pod of both rounds counts what its counters rose by; a counter that fell says that the server began anew.
 * - A pod that is not in the first round, nor `there`, began in the window: it counts from zero.
 * - A pod that is not in the last one counts up to where it was last seen.
 * - A pod that could not be read at the start counts from where it could, and is told of in `unreadable`.
 *
 * @example a pod with 100 requests at the start, 160 in between and 20 at the end was started anew: 60 + 20 = 80 requests
 */
export function windowOf(before: readonly Scrape[], after: readonly Scrape[], facts: WindowFacts = {}): RoleWindow {
  const rounds = [before, ...(facts.between ?? []), after];
  const known = new Set([...before.map(({ pod }) => pod), ...(facts.there ?? [])]);
  const pods = [...Map.groupBy(rounds.flat(), ({ pod }) => pod)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([pod, scrapes]) => ({ pod, ...podOf(scrapes, known.has(pod)) }));
  const times = rounds.flat().map(({ at }) => at);
  return {
    schemaVersion: 1,
    pods: pods.length,
    seconds: times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000,
    ...readCounts(sum(pods.map(({ counted }) => counted))),
    spread: spreadOf(pods.map(({ counted }) => readCounts(counted))),
    memory: pods.flatMap(({ pod, bytes }) => (bytes > 0 ? [{ pod, bytes }] : [])),
    memoryLimitBytes: facts.memoryLimitBytes ?? null,
    restarts: [...(facts.restarts ?? [])],
    unreadable: pods.flatMap(({ pod, why }) => (why === undefined ? [] : [{ pod, why }])),
  };
}

/** What one pod counted, the most that it held, and why that is not all, if it is not. @param known it was there at the start */
function podOf(scrapes: readonly Scrape[], known: boolean) {
  const pages = scrapes.flatMap((scrape) => ('page' in scrape ? [scrape.page] : []));
  const counted: Counters[] = [];
  let earlier: Counters | undefined = known ? undefined : new Map();
  for (const { counters } of pages) {
    if (earlier) counted.push(increase(earlier, counters));
    earlier = counters;
  }
  const bytes = Math.max(0, ...pages.map(({ heldBytes = 0 }) => heldBytes));
  return { counted: sum(counted), bytes, why: missing(scrapes, known) };
}

/** Why a pod's numbers are not those of the whole window, or undefined: a page that fails in between is made up for later. */
function missing(scrapes: readonly Scrape[], known: boolean): string | undefined {
  const [first, last] = [scrapes[0], scrapes.at(-1)];
  if (known && first && 'unreadable' in first) return first.unreadable;
  return last && 'unreadable' in last ? last.unreadable : undefined;
}
