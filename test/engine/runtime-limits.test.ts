import { expect, test } from 'bun:test';
import { contractOf, engineError } from './loading.ts';

test.each([
  ['the newest IR version', { ir: 13 }, undefined],
  ['a newer IR version', { ir: 14 }, 'MODEL_LOAD_FAILED'],
  ['the newest opset', { opset: 26 }, undefined],
  ['a newer opset', { opset: 27 }, 'MODEL_LOAD_FAILED'],
])('%s: the library agrees with RUNTIME_LIMITS', async (_, options, code) => {
  expect(await engineError(await contractOf(options))).toBe(code);
});
