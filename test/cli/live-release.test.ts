// What a terminal shows of a release: a line a step, the running one with its pods and numbers.
import { expect, test } from 'bun:test';
import { afterEvent, type LiveRelease, liveLines } from '../../src/cli/live-release.ts';
import { Redraw } from '../../src/cli/redraw.ts';

const steps = [
  { name: 'canary 20 %', kind: 'canary', status: 'done', tookMs: 41_200, weight: { asked: 20, achieved: 0.18 } },
  { name: 'canary 50 %', kind: 'canary', status: 'running', weight: { asked: 50, replicas: 4 } },
  { name: 'promote', kind: 'promote', status: 'pending' },
] as const;
const describe = () => ({ far: '12 s of 20 s', share: '47 % of requests', verdict: 'errors 0 % / 0 %   pass\nmore' });
const picture = (): LiveRelease => {
  let now: LiveRelease = { steps: [] };
  now = afterEvent(now, { kind: 'step', step: steps[1], index: 1, steps }, describe);
  const roles = { stable: { ready: 4, desired: 4 }, canary: { ready: 3, desired: 4 } };
  now = afterEvent(now, { kind: 'observed', roles, waiting: undefined }, describe);
  const verdict = { outcome: 'pass', reasons: [] } as const;
  return afterEvent(now, { kind: 'window', verdict, elapsedMs: 1, intervalMs: 2, achieved: 0.47 }, describe);
};

test('what is done has its time and share, what runs its pods and numbers, what comes its name', () => {
  expect(liveLines(picture(), 120)).toEqual([
    'canary 20 %  ✓  41.2 s  18 % of requests',
    'canary 50 %  ▸  12 s of 20 s  47 % of requests  stable ●●●●  canary ●●●○',
    '                errors 0 % / 0 %   pass',
    '                more',
    'promote      ·',
  ]);
});

test('no line is as wide as the terminal', () => {
  for (const columns of [21, 40, 80])
    for (const line of liveLines(picture(), columns)) expect(line.length).toBeLessThan(columns);
});

test('another step begins with a clean line', () => {
  const next = [{ ...steps[0] }, { ...steps[1], status: 'done' }, { ...steps[2], status: 'running' }] as const;
  const now = afterEvent(picture(), { kind: 'step', step: next[2], index: 2, steps: next }, describe);
  expect(now.window).toBeUndefined();
  expect(liveLines(now, 120).at(-1)).toBe('promote      ▸  stable ●●●●  canary ●●●○');
});

test('lines are drawn over those before, and what is said stays above', () => {
  const screen: string[] = [];
  let row = 0;
  const write = (text: string) => {
    for (const [, up, clear, line] of text
      .replaceAll('\x1b', '^')
      .matchAll(/\^\[(\d+)A\r|(\^\[[02][JK])|([^^\n]*\n)/g)) {
      if (up) row -= Number(up);
      else if (clear === '^[0J') screen.splice(row);
      else if (line !== undefined) screen[row++] = line.trimEnd();
    }
  };
  const lines = new Redraw(write);
  lines.draw(['a', 'b', 'c']);
  lines.draw(['a', 'B']);
  expect(screen).toEqual(['a', 'B']);
  lines.say('note');
  lines.draw(['a', 'B', 'd']);
  expect(screen).toEqual(['note', 'a', 'B', 'd']);
});
