import { expect, test } from 'bun:test';
import { summaryOf } from '../../src/inventory/cluster/releases.ts';
import { journalOf, released, releaseOf } from '../cluster/releases.ts';

test('a canary waits for a decision since its step was judged, not since its pods were rolled out', () => {
  const paused = releaseOf(2, '1.1.0', {
    state: 'paused',
    steps: [
      { name: 'canary 20 %', kind: 'canary', status: 'done', startedAt: '2026-01-01T00:00:00.000Z', tookMs: 60_000 },
      { name: 'canary 50 %', kind: 'canary', status: 'paused', startedAt: '2026-01-01T01:00:00.000Z', tookMs: 90_000 },
      { name: 'promote', kind: 'promote', status: 'pending' },
    ],
  });
  const { releases } = summaryOf('ml', 'iris', journalOf(released(1, '1.0.0'), paused));
  expect(releases.map(({ waitingSince }) => waitingSince)).toEqual([null, '2026-01-01T01:01:30.000Z']);
});
