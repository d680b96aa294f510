import { expect, test } from 'bun:test';
import { InlayError } from '../../src/error/index.ts';
import { type FlowStep, outcomeOf, runFlow, type StepName, summaryMarkdown, undoOf } from '../../src/release/index.ts';

const taken: string[] = [];
const step = (name: StepName, work?: () => void): FlowStep => ({
  name,
  run: async () => {
    taken.push(name);
    work?.();
    return { status: 'done', detail: `${name} is done` };
  },
});
const clock = () => {
  let ms = 1_700_000_000_000;
  return () => (ms += 250);
};

test('nothing after a step that fails is taken, and what did happen is told', async () => {
  taken.length = 0;
  const fail = () => {
    throw new InlayError('GOLDEN_MISMATCH', 'another answer');
  };
  const { steps, error } = await runFlow({ steps: [step('check'), step('golden', fail), step('push')], now: clock() });
  expect(taken).toEqual(['check', 'golden']);
  expect(steps.map(({ name, status }) => [name, status])).toEqual([
    ['check', 'done'],
    ['golden', 'failed'],
    ['push', 'not reached'],
  ]);
  expect((error as InlayError).code).toBe('GOLDEN_MISMATCH');
  expect(outcomeOf(steps, { dryRun: false, errorCode: 'GOLDEN_MISMATCH', unchanged: false })).toBe('failed');
});

test('until: the rest is not reached, and that is no failure', async () => {
  const { steps, error } = await runFlow({
    steps: [step('check'), step('build'), step('deploy')],
    until: 'build',
    now: clock(),
  });
  expect(error).toBeUndefined();
  expect(steps.at(-1)).toEqual({ name: 'deploy', status: 'not reached' });
  expect(outcomeOf(steps, { dryRun: false, errorCode: undefined, unchanged: false })).toBe('stopped');
});

test('each step has its time', async () => {
  const { steps } = await runFlow({ steps: [step('check')], now: clock() });
  expect(steps[0]).toMatchObject({ tookMs: 250, startedAt: '2023-11-14T22:13:20.250Z' });
});

test('what can be taken back is said as a command', () => {
  const against = { reference: 'r', digest: 'sha256:0', version: '1.0.0' };
  expect(undoOf({ outcome: 'released', service: 'iris', namespace: 'ml', against })).toBe('inlay rollback iris -n ml');
  expect(undoOf({ outcome: 'released', service: 'iris', namespace: 'ml' })).toBeUndefined();
  expect(undoOf({ outcome: 'paused', service: 'iris', against })).toBe('inlay abort iris');
  expect(undoOf({ outcome: 'failed', service: 'iris', against })).toBeUndefined();
});

test('words of others cannot break the page', () => {
  const page = summaryMarkdown({
    schemaVersion: 1,
    service: 'iris',
    outcome: 'failed',
    steps: [{ name: 'train', status: 'failed', tookMs: 10, detail: 'a | b\n<img src=x>' }],
    error: { code: 'TRAINING_FAILED', message: '<script>\n| x |' },
  });
  expect(page).toContain('| train | failed | 10 ms | a \\| b &lt;img src=x> |');
  expect(page).not.toContain('<script>');
});
