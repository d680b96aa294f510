import { expect, test } from 'bun:test';
import { describeVerdict, judge } from '../../../src/cluster/index.ts';
import { healthy, LIMITS } from './windows.ts';

const describeOf = (canary: ReturnType<typeof healthy>, stable: ReturnType<typeof healthy>) =>
  describeVerdict(judge({ stable, canary, limits: LIMITS })).split('\n');

test('a pass is one line, the canary’s number first', () => {
  const labels = { a: 1000, b: 1496 };
  const [line, ...more] = describeOf(healthy(2496, { labels }), healthy(9984, { labels: { a: 4040, b: 5944 } }));
  expect(line).toBe('errors 0 % / 0 %   p99 1.2 / 1.2 ms   NaN 0   label shift 0.004 (limit 0.05)   pass');
  expect(more).toEqual([]);
});

test('what was not fine has a line with its numbers, sample, limit and why', () => {
  const [line, ...more] = describeOf(healthy(2000, { failed: 60, rejected: { overloaded: 60 } }), healthy(8000));
  expect(line).toEndWith('   fail');
  expect(more).toEqual(['errors 3 % / 0 % of 2 000 / 8 000 requests, limit 1 %: fail (mostly overloaded (3 % / 0 %))']);
});

test('without traffic there is one reason, not nine', () => {
  const [line, ...more] = describeOf(healthy(0, { memory: [] }), healthy(8000));
  expect(line).toBe('errors - / 0 %   p99 - / 1.2 ms   NaN -   inconclusive');
  expect(more).toEqual(['requests 0 / 8 000, least 300: inconclusive (no request reached the canary)']);
});
