import { expect, test } from 'bun:test';
import { untilQuiet } from '../../src/server/until-quiet.ts';

const never = new Promise<void>(() => {});
const forever = { quietMs: 3_600_000, mostMs: 3_600_000 };

test('where nothing comes it is quiet after that time', async () => {
  expect(
    await untilQuiet({ quietMs: 20, mostMs: 3_600_000, asked: () => 7, all: new Int32Array(1), hurry: never }),
  ).toBe(false);
});

test('while requests come it waits, at most for the longest time', async () => {
  let count = 0;
  const asked = () => count++;
  expect(await untilQuiet({ quietMs: 60_000, mostMs: 300, asked, all: new Int32Array(1), hurry: never })).toBe(true);
  expect(count).toBeGreaterThan(2);
});

test('what comes to one keeps all waiting', async () => {
  const all = new Int32Array(new SharedArrayBuffer(4));
  let busy = true;
  let count = 0;
  const options = { quietMs: 1000, mostMs: 3_600_000, all, hurry: never };
  let ended = false;
  const asked = untilQuiet({ ...options, asked: () => (busy ? ++count : count) });
  const idle = untilQuiet({ ...options, asked: () => 0 }).then(() => {
    ended = true;
  });
  // The busy one has looked so often that more than the quiet time is over.
  while (count < 15) await Bun.sleep(10);
  expect(ended).toBe(false);
  busy = false;
  await Promise.all([idle, asked]);
  expect(Atomics.load(all, 0)).toBe(count - 1);
});

test('a hurry ends it', async () => {
  const hurry = Promise.withResolvers<void>();
  const wait = untilQuiet({ ...forever, asked: () => 0, all: new Int32Array(1), hurry: hurry.promise });
  hurry.resolve();
  expect(await wait).toBe(false);
});
