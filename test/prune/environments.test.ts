// Environments of training go by their age, with the names that lead to them.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oldEnvironments, removeEnvironments } from '../../src/prune/index.ts';

const DAY = 86_400_000;
const now = Date.now();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-environments-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** As training makes them: a folder of its own, and a link by which it is found. */
function make(key: string, days: number, found = true): string {
  const path = join(dir, `${key}.12345678`);
  mkdirSync(join(path, 'lib'), { recursive: true });
  writeFileSync(join(path, 'lib', 'module.py'), 'x'.repeat(1000));
  symlinkSync('/usr/bin/env', join(path, 'python'));
  if (found) symlinkSync(`${key}.12345678`, join(dir, key));
  used(path, days);
  return path;
}

function used(path: string, days: number): void {
  const then = new Date(now - days * DAY);
  utimesSync(path, then, then);
}

const names = () => readdirSync(dir).sort();

test('what was not used within the grace goes, with its name, and what a killed one left; nothing else does', async () => {
  const old = make('old', 40);
  const torn = make('torn', 40, false);
  make('young', 20);
  const found = await oldEnvironments(dir, { now, graceMs: 30 * DAY });
  expect(found.map(({ path, sizeBytes }) => [path, sizeBytes]).sort()).toEqual([
    [old, 1000],
    [torn, 1000],
  ]);
  expect(await removeEnvironments(dir, found)).toBe(2000);
  expect(names()).toEqual(['young', 'young.12345678']);
});

test('one that is used between plan and sweep stays; without a grace a day still is one', async () => {
  const path = make('iris', 40);
  make('today', 0.5);
  const found = await oldEnvironments(dir, { now, graceMs: 0 });
  expect(found.map((one) => one.path)).toEqual([path]);
  used(path, 0);
  expect(await removeEnvironments(dir, found)).toBe(0);
  expect(lstatSync(join(dir, 'iris')).isSymbolicLink()).toBe(true);
});

test('where nothing was trained there is nothing', async () => {
  expect(await oldEnvironments(join(dir, 'none'), { now, graceMs: 0 })).toEqual([]);
});
