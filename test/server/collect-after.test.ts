import { expect, spyOn, test } from 'bun:test';
import { collectAfter } from '../../src/server/collect-after.ts';

const MIB = 2 ** 20;

test('much of large bodies is collected before the next one, small ones never', () => {
  const gc = spyOn(Bun, 'gc');
  try {
    for (let i = 0; i < 1000; i++) collectAfter(MIB - 1);
    expect(gc).toHaveBeenCalledTimes(0);
    for (let i = 0; i < 33; i++) collectAfter(MIB);
    expect(gc).toHaveBeenCalledTimes(2);
  } finally {
    gc.mockRestore();
  }
});
