import { expect, test } from 'bun:test';
import { compareDebian } from '../../src/inventory/index.ts';
import { compareVersionTags, isVersionTag } from '../../src/prune/index.ts';

test('versions have an order: by numbers, a pre-release before its release, with or without v', () => {
  const order = ['0.9', '1.0.0-alpha.1', '1.0.0-rc1', '1.0.0rc2', 'v1.0.0', '1.0.1', '1.2', '1.10', '2026-01-02'];
  expect(order.toReversed().sort(compareVersionTags)).toEqual(order);
});

test('what begins with a number is a version, a word or a commit is none', () => {
  expect(['1', 'v2', '1.0-cpu', '2026-11-24'].map(isVersionTag)).toEqual([true, true, true, true]);
  expect(['latest', 'main', 'prod-1', 'sha-12ab', '7f3c9aa'].map(isVersionTag)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('numbers alone are compared as Debian would', () => {
  const tags = ['1', '1.0', '1.0.0', '1.1', '1.10', '2', '10', '10.0'];
  for (const a of tags)
    for (const b of tags) expect([a, b, Math.sign(compareVersionTags(a, b))]).toEqual([a, b, compareDebian(a, b)]);
});
