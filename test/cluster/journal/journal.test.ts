// The journal as plain data: what is stable, what can be gone back to, and what it keeps.
import { expect, test } from 'bun:test';
import {
  emptyJournal,
  previousRelease,
  releaseBefore,
  stableRelease,
  unfinished,
  withLast,
  withRelease,
  withStep,
} from '../../../src/cluster/journal/index.ts';
import { journalSchema } from '../../../src/cluster/journal/schema.ts';
import { digestOf, journalOf, LATER, released, releaseOf } from '../releases.ts';

const before = (version: string) => ({ reference: version, digest: digestOf(version), version });

test('what is stable is what became so last and has no end', () => {
  expect(stableRelease(emptyJournal('iris'))).toBeUndefined();
  expect(stableRelease(journalOf(released(1, '1', LATER), released(2, '2'), releaseOf(3, '3')))?.number).toBe(2);
});

test('a rollback goes back to the last other image that was released, not to one that was backed out', () => {
  const bad = releaseOf(2, '2', { stableFrom: LATER, stableTo: LATER });
  expect(previousRelease(journalOf(released(1, '1', LATER), bad, released(3, '3')))?.number).toBe(1);
  expect(previousRelease(journalOf(released(1, '1')))).toBeUndefined();
});

test('two rollbacks after each other go there and back', () => {
  const journal = journalOf(released(1, '1', LATER), released(2, '2', LATER), released(3, '1'));
  expect(previousRelease(journal)?.image.contract.version).toBe('2');
});

test('a release of the same image with another deploy: goes back to that image with the deploy: of before', () => {
  const again = releaseOf(3, '2', { before: before('2') });
  expect(releaseBefore(journalOf(released(1, '1', LATER), released(2, '2'), again), again)?.number).toBe(2);
});

test('a release is unfinished until it has ended', () => {
  const journal = journalOf(released(1, '1'), releaseOf(2, '2', { state: 'paused' }));
  expect(unfinished(journal)?.number).toBe(2);
  expect(unfinished(withLast(journal, { state: 'ended' }))).toBeUndefined();
});

test('steps are changed in the last release alone', () => {
  const journal = withStep(journalOf(released(1, '1'), releaseOf(2, '2')), 0, { status: 'done' });
  expect(journal.releases.map(({ steps }) => steps[0]?.status)).toEqual(['failed', 'done']);
});

test('however many releases fail, what is stable and what was before it stay', () => {
  let journal = journalOf(released(1, 'old', LATER), released(2, 'now'));
  for (let number = 3; number < 203; number++)
    journal = withRelease(journal, releaseOf(number, `bad-${number}`, { before: before('now') }));
  expect(stableRelease(journal)?.number).toBe(2);
  expect(previousRelease(journal)?.number).toBe(1);
  expect(journal.releases).toHaveLength(52);
  expect(journal.releases.at(-1)?.number).toBe(202);
  expect(journal.releases[2]?.steps[0]?.verdict).toBeUndefined();
});

test('releases of a model with ten thousand labels do not outgrow a ConfigMap', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `a label of some length, number ${i}`);
  let journal = journalOf(released(1, 'now'));
  for (let number = 2; number < 30; number++) {
    const release = releaseOf(number, `v${number}`);
    const contract = {
      ...release.image.contract,
      labels: { file: 'l.json', keys: names.map((_, i) => `${i}`), names },
    };
    journal = withRelease(journal, { ...release, image: { ...release.image, contract } });
  }
  expect(stableRelease(journal)?.number).toBe(1);
  expect(journal.releases.at(-1)?.number).toBe(29);
  expect(Buffer.byteLength(JSON.stringify(journal))).toBeLessThan(2 ** 20);
});

test('it is read as it was written', () => {
  const journal = journalOf(released(1, '1', LATER), releaseOf(2, '2', { state: 'paused', reason: 'why' }));
  expect(journalSchema.parse(JSON.parse(JSON.stringify(journal)))).toEqual(journal);
  expect(journalSchema.safeParse({ ...journal, schemaVersion: 2 }).success).toBe(false);
});
