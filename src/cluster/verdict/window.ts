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
  const window = new WindowSoFar([...before.map(({ pod }) => pod), ...(facts.there ?? [])]);
  for (const round of [before, ...(facts.between ?? []), after]) window.add(round);
  return window.now(facts);
}

/** A window that goes on: round by round, and no more of them is kept than the window needs, however long it is. */
export class WindowSoFar {
  readonly #known: ReadonlySet<string>;
  readonly #pods = new Map<string, PodSoFar>();
  #firstAt = Number.POSITIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** @param known pods that were there at the start */
  constructor(known: readonly string[]) {
    this.#known = new Set(known);
  }

  add(round: readonly Scrape[]): void {
    for (const scrape of round) {
      this.#firstAt = Math.min(this.#firstAt, scrape.at);
      this.#lastAt = Math.max(this.#lastAt, scrape.at);
      this.#pods.set(scrape.pod, podAfter(this.#pods.get(scrape.pod), scrape, this.#known.has(scrape.pod)));
    }
  }

  now({ restarts = [], memoryLimitBytes }: Pick<WindowFacts, 'restarts' | 'memoryLimitBytes'> = {}): RoleWindow {
    const pods = [...this.#pods].sort(([one], [other]) => (one < other ? -1 : 1)).map(([pod, so]) => ({ pod, ...so }));
    return {
      schemaVersion: 1,
      pods: pods.length,
      seconds: pods.length === 0 ? 0 : (this.#lastAt - this.#firstAt) / 1000,
      ...readCounts(sum(pods.map(({ counted }) => counted))),
      spread: spreadOf(pods.map(({ counted }) => readCounts(counted))),
      memory: pods.flatMap(({ pod, bytes }) => (bytes > 0 ? [{ pod, bytes }] : [])),
      memoryLimitBytes: memoryLimitBytes ?? null,
      restarts: [...restarts],
      unreadable: pods.flatMap(({ pod, firstMissing, lastMissing }) => {
        const why = firstMissing ?? lastMissing;
        return why === undefined ? [] : [{ pod, why }];
      }),
    };
  }
}

/** What one pod counted up to now, the most that it held, and why that is not all, if it is not. */
interface PodSoFar {
  readonly counted: Counters;
  /** Its last page: what is counted next begins there. */
  readonly last: Counters | undefined;
  readonly bytes: number;
  /** Why a pod that was there at the start could not be read then. */
  readonly firstMissing: string | undefined;
  /** Why it could not be read at last: a page that fails in between is made up for later. */
  readonly lastMissing: string | undefined;
}

function podAfter(before: PodSoFar | undefined, scrape: Scrape, known: boolean): PodSoFar {
  const so = before ?? {
    counted: new Map(),
    last: known ? undefined : new Map(),
    bytes: 0,
    firstMissing: known && 'unreadable' in scrape ? scrape.unreadable : undefined,
    lastMissing: undefined,
  };
  if ('unreadable' in scrape) return { ...so, lastMissing: scrape.unreadable };
  const { counters, heldBytes = 0 } = scrape.page;
  // The first page of a pod that was there counts nothing yet.
  const counted = sum([so.counted, increase(so.last ?? counters, counters)]);
  return { ...so, counted, last: counters, bytes: Math.max(so.bytes, heldBytes), lastMissing: undefined };
}
