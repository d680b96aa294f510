import { expect, test } from 'bun:test';
import { judgeMetric, parseConfig, resolveDeploy } from '../../../src/contract/index.ts';

const ruleOf = (text: string) => {
  const deploy = { require: { accuracy: text } };
  const config = parseConfig(JSON.stringify({ name: 'a', version: '1', model: 'm', deploy }), 'inlay.yaml');
  return resolveDeploy(config).require[0] ?? expect.unreachable();
};

test.each([
  ['>= stable - 0.005', { operator: '>=', besideStable: true, offset: -0.005 }],
  ['>=stable+0.01', { operator: '>=', besideStable: true, offset: 0.01 }],
  ['< stable', { operator: '<', besideStable: true, offset: 0 }],
  ['<= 0.2', { operator: '<=', besideStable: false, offset: 0.2 }],
  ['> -1.5', { operator: '>', besideStable: false, offset: -1.5 }],
  ['>= stable - 1e-3', { operator: '>=', besideStable: true, offset: -0.001 }],
])('%s', (text, rule) => {
  expect(ruleOf(text)).toEqual({ metric: 'accuracy', ...rule } as ReturnType<typeof ruleOf>);
});

test.each([
  ['>= stable - 0.005', 0.97, 0.97, 'met'],
  ['>= stable - 0.005', 0.965, 0.97, 'met'],
  ['>= stable - 0.005', 0.9649, 0.97, 'missed'],
  // 0.3 - 0.1 is 0.19999999999999998 in doubles.
  ['<= stable - 0.1', 0.2, 0.3, 'met'],
  ['< stable - 0.1', 0.2, 0.3, 'missed'],
  ['> stable', 0.97, 0.97, 'missed'],
  ['> 0', 1e-9, undefined, 'met'],
  ['>= 0', 0, undefined, 'met'],
  ['< 0', 0, undefined, 'missed'],
  ['>= 0.9', 0.95, undefined, 'met'],
  ['>= stable', 0.95, undefined, 'unknown'],
  ['>= 0.9', undefined, 0.97, 'unknown'],
] as const)('%s: %p beside %p is %s', (text, value, stable, outcome) => {
  const metrics = (accuracy: number | undefined) => (accuracy === undefined ? { other: 1 } : { accuracy });
  expect(judgeMetric(ruleOf(text), metrics(value), metrics(stable)).outcome).toBe(outcome);
  if (outcome === 'unknown') expect(judgeMetric(ruleOf('>= stable'), undefined, undefined).outcome).toBe('unknown');
});

test('a judgement shows its numbers', () => {
  const judged = judgeMetric(ruleOf('>= stable + 1'), { accuracy: 2 }, { accuracy: 3 });
  expect(judged).toMatchObject({ outcome: 'missed', value: 2, limit: 4 });
});
