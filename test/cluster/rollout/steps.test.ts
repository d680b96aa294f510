// Which steps a release has, and which undo it.
import { expect, test } from 'bun:test';
import type { Step } from '../../../src/cluster/journal/index.ts';
import { backOutSteps, stepsOf } from '../../../src/cluster/rollout/steps.ts';
import { planOf } from '../plans.ts';

const { deploy } = planOf({ canary: { steps: [10, 50], bake: '10m' } });
const kinds = (steps: readonly Step[]) => steps.map(({ kind }) => kind);
/** The first `done` steps are done, the next one is under way. */
const at = (done: number, kind: 'first' | 'canary' | 'direct' = 'canary') =>
  stepsOf(kind, deploy).map(
    (step, i): Step => ({ ...step, status: i < done ? 'done' : i === done ? 'running' : 'pending' }),
  );

test('a first release, a canary, and a release at once', () => {
  expect(kinds(stepsOf('first', deploy))).toEqual(['stable']);
  expect(kinds(stepsOf('direct', deploy))).toEqual(['promote']);
  expect(stepsOf('canary', deploy).map(({ name }) => name)).toEqual([
    'canary 10 %',
    'canary 50 %',
    'promote',
    'retire canary',
    'bake 10 min',
  ]);
  expect(kinds(stepsOf('canary', planOf({ canary: { bake: '0s' } }).deploy))).not.toContain('bake');
});

test.each([
  [0, ['remove-canary']],
  [1, ['remove-canary']],
  [2, ['restore', 'remove-canary']],
  [3, ['restore', 'remove-canary']],
  [4, ['restore']],
])('what is undone when %i steps are done: stable first, so that somebody serves', (done, undone) => {
  expect(kinds(backOutSteps(at(done)))).toEqual(undone as never);
});

test('a first release that fails is taken away, a release at once is taken back', () => {
  expect(kinds(backOutSteps(at(0, 'first')))).toEqual(['remove-canary']);
  expect(kinds(backOutSteps(at(0, 'direct')))).toEqual(['restore']);
});

test('what never began needs no undoing', () => {
  expect(backOutSteps(stepsOf('canary', deploy))).toEqual([]);
});
