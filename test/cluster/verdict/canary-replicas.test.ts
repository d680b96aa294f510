import { expect, test } from 'bun:test';
import { achievedShare, canaryReplicas } from '../../../src/cluster/index.ts';

const of = (stableReplicas: number, weightPercent: number, max = 10) =>
  canaryReplicas({ stableReplicas, weightPercent, max });

test('the nearest whole number of pods', () => {
  expect(of(4, 20)).toEqual({ replicas: 1, expectedShare: 0.2 });
  expect(of(4, 50)).toEqual({ replicas: 4, expectedShare: 0.5 });
  expect(of(10, 20).replicas).toBe(3);
  expect(of(3, 50).replicas).toBe(3);
  expect(of(9, 10)).toEqual({ replicas: 1, expectedShare: 0.1 });
});

test('at least one, at most max; what is far from the asked weight is told', () => {
  expect(of(1, 5)).toMatchObject({ replicas: 1, expectedShare: 0.5 });
  expect(of(1, 5).note).toContain('with 19 pods of stable');
  expect(of(4, 90, 6)).toMatchObject({ replicas: 6, expectedShare: 0.6 });
  expect(of(4, 90, 6).note).toContain('at most 6');
  expect(of(4, 100, 6).replicas).toBe(6);
  expect(of(0, 20)).toMatchObject({ replicas: 1, expectedShare: 1 });
});

test('no other number of pods comes closer', () => {
  for (let stable = 1; stable <= 30; stable++) {
    for (let weight = 1; weight <= 100; weight++) {
      for (const max of [1, 3, 10, 40]) {
        const { replicas, expectedShare, note } = of(stable, weight, max);
        const off = (count: number) => Math.abs(count / (count + stable) - weight / 100);
        const best = Math.min(...Array.from({ length: max }, (_, at) => off(at + 1)));
        expect(off(replicas)).toBeCloseTo(best, 12);
        expect(expectedShare).toBeCloseTo(replicas / (replicas + stable), 12);
        expect(note !== undefined).toBe(off(replicas) > 0.05);
      }
    }
  }
});

test('the achieved share is counted from requests', () => {
  expect(achievedShare({ stable: { requests: 820 }, canary: { requests: 180 } })).toBe(0.18);
  expect(achievedShare({ stable: { requests: 0 }, canary: { requests: 0 } })).toBeUndefined();
});
