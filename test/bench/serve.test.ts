import { expect, test } from 'bun:test';
import { flatness } from '../../bench/serve/flatness.ts';
import { median, pairedRatio } from '../../bench/serve/median.ts';
import { renderFigure } from '../../bench/serve/render.ts';
import { judge } from '../../bench/serve/result.ts';
import { interleave } from '../../bench/serve/rounds.ts';

test('a ratio is paired within a round, so a slow minute of the machine cancels out', () => {
  // The second round met a machine of half the speed.
  expect(pairedRatio([90, 45, 90], [100, 50, 100])).toBeCloseTo(0.9);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('rounds go A B A B, and a server that fails takes no part in later ones', async () => {
  const seen: string[] = [];
  const measure = (name: string, failsIn?: number) => async (round: number) => {
    seen.push(`${name}${round}`);
    if (round === failsIn) throw new Error('it fell over');
    return round;
  };
  const rounds = await interleave(3, { a: measure('a'), b: measure('b', 1) }, () => {});
  expect(seen).toEqual(['a0', 'b0', 'a1', 'b1', 'a2']);
  expect(rounds.values.get('a')).toEqual([0, 1, 2]);
  expect(rounds.failures).toEqual([{ name: 'b', reason: 'it fell over' }]);
});

test('a target is reached, missed or not measured', () => {
  const target = { what: 'speed', sense: 'at least', limit: 0.9, unit: 'x' } as const;
  expect(judge(target, 0.9).reached).toBe(true);
  expect(judge(target, 0.89).reached).toBe(false);
  expect(judge({ ...target, sense: 'at most' }, 0.89).reached).toBe(true);
  expect(judge(target, undefined).reached).toBeUndefined();
  expect(judge(target, Number.NaN)).toEqual({ ...target, measured: undefined, reached: undefined });
});

test('what could not be measured is named in the table', () => {
  const text = renderFigure('Figure', {
    table: {
      columns: [{ name: 'requests/s', decimals: 0 }],
      rows: [
        { name: 'inlay', values: { 'requests/s': 80_000.4 } },
        { name: 'mlserver', values: { 'requests/s': 'not measured' } },
      ],
    },
    targets: [judge({ what: 'speed', sense: 'at least', limit: 0.9, unit: 'x' }, undefined)],
    notes: ['mlserver is not measured: no network'],
  });
  expect(text.split('\n')).toEqual([
    '== Figure',
    '              requests/s',
    '  inlay           80,000',
    '  mlserver  not measured',
    '  NOT MEASURED: speed: - (at least 0.90 x)',
    '  note: mlserver is not measured: no network',
    '',
  ]);
});

test('memory is flat when the last tenth is as the second, whatever the start was', () => {
  const samples = Array.from({ length: 100 }, (_, i) => ({
    requests: i * 1000,
    seconds: i + 1,
    residentMb: i < 10 ? 50 + i : 100,
  }));
  expect(flatness(samples).growthPercent).toBeCloseTo(0);
  const leaking = samples.map((sample, i) => ({ ...sample, residentMb: 100 + i }));
  expect(flatness(leaking).growthPercent).toBeGreaterThan(60);
});
