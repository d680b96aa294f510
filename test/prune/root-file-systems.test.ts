// Root file systems that runs unpacked go by their age, while nobody runs from them.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { tryLock } from '../../src/image/index.ts';
import { oldRootFileSystems, removeRootFileSystems } from '../../src/prune/index.ts';

const DAY = 86_400_000;
const now = Date.now();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-root-file-systems-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function make(name: string, days: number): string {
  const path = join(dir, name);
  mkdirSync(join(path, 'usr', 'lib'), { recursive: true });
  writeFileSync(join(path, 'usr', 'lib', 'libc.so'), 'x'.repeat(1000));
  linkSync(join(path, 'usr', 'lib', 'libc.so'), join(path, 'usr', 'lib', 'libc.so.6'));
  symlinkSync('usr/lib', join(path, 'lib'));
  symlinkSync('/usr', join(path, 'host'));
  used(path, days);
  return path;
}

function used(path: string, days: number): void {
  const then = new Date(now - days * DAY);
  utimesSync(path, then, then);
}

async function held(path: string): Promise<FileHandle> {
  const file = await open(path, 'r');
  expect(tryLock(file, 'shared')).toBe(true);
  return file;
}

const old = async (graceMs: number) =>
  (await oldRootFileSystems(dir, { now, graceMs })).sort((a, b) => a.path.localeCompare(b.path));

test('what was not used within the grace goes, its files counted once; what a killed run left goes after a day', async () => {
  const paths = [make('sha256-a', 40), make('sha256-b-unowned', 31), make('sha256-c.half', 2)];
  make('sha256-d', 29);
  make('sha256-e.half', 0.5);
  const found = await old(30 * DAY);
  expect(found.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual(paths.map((path) => [path, 1000]));
  expect(await removeRootFileSystems(found)).toBe(3000);
  expect(readdirSync(dir).sort()).toEqual(['sha256-d', 'sha256-e.half']);
  // Without a grace what is whole need not wait, and what is not may still be under way.
  expect((await old(0)).map(({ path }) => basename(path))).toEqual(['sha256-d']);
});

test('one that a run holds stays, however old, and goes when the last of its runs has ended', async () => {
  const path = make('sha256-a', 400);
  const [one, other] = [await held(path), await held(path)];
  expect(await old(0)).toEqual([]);
  await one.close();
  expect(await old(0)).toEqual([]);
  await other.close();
  expect(await removeRootFileSystems(await old(0))).toBe(1000);
  expect(readdirSync(dir)).toEqual([]);
});

test('one that a run took up between plan and sweep stays, whether it runs still or has ended', async () => {
  const [running, ended] = [make('sha256-a', 40), make('sha256-b', 40)];
  const found = await old(0);
  expect(found).toHaveLength(2);
  const run = await held(running);
  used(ended, 0);
  expect(await removeRootFileSystems(found)).toBe(0);
  await run.close();
  expect([existsSync(join(running, 'usr')), existsSync(join(ended, 'usr'))]).toEqual([true, true]);
});

test('two sweeps of one plan free it once, and where nothing was run there is nothing', async () => {
  make('sha256-a', 40);
  const found = await old(0);
  const freed = await Promise.all([removeRootFileSystems(found), removeRootFileSystems(found)]);
  expect(freed[0] + freed[1]).toBe(1000);
  expect(readdirSync(dir)).toEqual([]);
  expect(await oldRootFileSystems(join(dir, 'none'), { now, graceMs: 0 })).toEqual([]);
});
