import type { Journal, Release, Step } from './schema.ts';

/** Releases that a journal keeps, and bytes that they may take: a model with many labels has a large contract. */
const KEPT = 50;
const KEPT_BYTES = 2 ** 19;
/** Releases whose steps and numbers are kept; of older ones only that they were. */
const KEPT_WHOLE = 10;

export function emptyJournal(service: string): Journal {
  return { schemaVersion: 1, service, releases: [] };
}

/** The release that goes on, if one does. */
export function unfinished({ releases }: Journal): Release | undefined {
  const last = releases.at(-1);
  return last?.state === 'ended' ? undefined : last;
}

/** The release whose image is stable now, going by the journal. */
export function stableRelease({ releases }: Journal): Release | undefined {
  return releases.findLast(({ stableFrom, stableTo }) => stableFrom !== undefined && stableTo === undefined);
}

/** The release before the stable one: what a rollback goes back to. Another image than the present one, as a rollback may have been before. */
export function previousRelease(journal: Journal): Release | undefined {
  const now = stableRelease(journal);
  return journal.releases.findLast(
    ({ stableTo, image, outcome }) =>
      stableTo !== undefined && image.digest !== now?.image.digest && outcome === 'released',
  );
}

/** The release whose image is stable again when `release` is undone. */
export function releaseBefore({ releases }: Journal, { number, before }: Release): Release | undefined {
  return releases.findLast(
    (one) => one.number < number && one.image.digest === before?.digest && one.stableFrom !== undefined,
  );
}

/**
 * The journal with a release more. The oldest ones go where it grows too large; what is stable, and what can be gone back to, stays
 * however long ago it was.
 */
export function withRelease(journal: Journal, release: Release): Journal {
  const all = [...journal.releases, release];
  const whole = { ...journal, releases: all };
  const needed = new Set([release, stableRelease(whole), previousRelease(whole), releaseBefore(whole, release)]);
  const shorter = all.map((one, i) => ({
    needed: needed.has(one),
    release: i < all.length - KEPT_WHOLE ? shortened(one) : one,
  }));
  let room = KEPT_BYTES;
  const kept = shorter.toReversed().filter(({ needed, release }, i) => {
    room -= Buffer.byteLength(JSON.stringify(release));
    return needed || (i < KEPT && room > 0);
  });
  return { ...journal, releases: kept.map(({ release }) => release).reverse() };
}

/** The journal with its last release changed. */
export function withLast(journal: Journal, change: Partial<Release>): Journal {
  const last = journal.releases.at(-1);
  return last ? { ...journal, releases: [...journal.releases.slice(0, -1), { ...last, ...change }] } : journal;
}

/** The journal with a step of its last release changed. */
export function withStep(journal: Journal, index: number, change: Partial<Step>): Journal {
  const steps = journal.releases.at(-1)?.steps ?? [];
  return withLast(journal, { steps: steps.map((step, i) => (i === index ? { ...step, ...change } : step)) });
}

function shortened({ reference, ...release }: Release): Release {
  return { ...release, steps: release.steps.map(({ verdict, ...step }) => step) };
}
