// What the preflight tells before anything is changed: room in quotas, fields that would differ.
import { expect, test } from 'bun:test';
import { objectDiff } from '../../../src/cluster/rollout/object-diff.ts';
import { amountOf, quotaShortage } from '../../../src/cluster/rollout/quota.ts';
import { planOf } from '../plans.ts';

const quota = (hard: Record<string, string>, used: Record<string, string>) => ({
  metadata: { name: 'q', uid: '', labels: {}, annotations: {}, ownerReferences: [] },
  status: { hard, used },
});

test.each([
  ['500m', 0.5],
  ['2', 2],
  ['300Mi', 300 * 2 ** 20],
  ['1.5G', 1.5e9],
  ['1e3', 1000],
  ['2Pi', 2 ** 51],
  ['1500000u', 1.5],
])('%s is %d', (text, amount) => {
  expect(amountOf(text)).toBe(amount);
});

test('pods of 500m and 300Mi in a quota: what fits, and what does not', () => {
  const shortage = (hard: Record<string, string>, used: Record<string, string>, pods: number) =>
    quotaShortage(quota(hard, used), planOf(), pods);
  expect(shortage({ 'requests.cpu': '2' }, { 'requests.cpu': '1' }, 2)).toEqual([]);
  expect(shortage({ 'requests.cpu': '2' }, { 'requests.cpu': '1500m' }, 2)).toEqual(['requests.cpu 1500m of 2 used']);
  expect(shortage({ 'limits.memory': '1Gi' }, { 'limits.memory': '600Mi' }, 2)).toHaveLength(1);
  expect(shortage({ cpu: '1', pods: '3' }, { pods: '3' }, 1)).toEqual(['pods 3 of 3 used']);
  expect(shortage({ 'count/secrets': '0' }, {}, 5)).toEqual([]);
});

test('fields that differ are told by their path, named items by their name', () => {
  const from = { spec: { containers: [{ name: 'a', image: 'x:1' }], replicas: 2 }, metadata: { generation: 1 } };
  const to = { spec: { containers: [{ name: 'b' }, { name: 'a', image: 'x:2' }] }, metadata: { generation: 9 } };
  expect(objectDiff(from, to)).toEqual([
    { path: 'spec.containers[a].image', from: '"x:1"', to: '"x:2"' },
    { path: 'spec.containers[b]', to: '{"name":"b"}' },
    { path: 'spec.replicas', from: '2' },
  ]);
  expect(objectDiff(from, structuredClone(from))).toEqual([]);
});

test('any two objects differ where their JSON differs, and nowhere else', () => {
  const random = (depth: number): unknown => {
    const dice = Math.random();
    if (depth === 0 || dice < 0.3) return dice < 0.1 ? null : Math.floor(dice * 10);
    if (dice < 0.6) return Array.from({ length: 3 }, () => random(depth - 1));
    return Object.fromEntries(['a', 'b', 'c'].filter(() => Math.random() < 0.7).map((key) => [key, random(depth - 1)]));
  };
  for (let i = 0; i < 500; i++) {
    const [a, b] = [random(3), random(3)];
    expect(objectDiff(a, b).length === 0).toBe(Bun.deepEquals(a, b));
  }
});
