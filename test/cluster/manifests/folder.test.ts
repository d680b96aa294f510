import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestFiles, manifestsOf, writeStates } from '../../../src/cluster/index.ts';
import { planOf } from '../plans.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'inlay-states-'));
});
afterEach(() => rm(dir, { recursive: true }));

const files = manifestFiles(manifestsOf(planOf()), 'iris');
const states = (...names: string[]) => names.map((name) => ({ name, files }));

test('states of an earlier release go, what is somebody’s own stays', async () => {
  await writeStates(dir, states('1-canary-20', '2-canary-50', '3-promote'));
  await mkdir(join(dir, 'overlay'));
  await writeStates(dir, states('1-canary-50', '2-promote'));
  expect((await readdir(dir)).sort()).toEqual(['1-canary-50', '2-promote', 'overlay']);
});

test('a state that somebody has put something into is not taken away', async () => {
  await writeStates(dir, states('1-stable'));
  await writeFile(join(dir, '1-stable', 'own.yaml'), '');
  const code = await writeStates(dir, states('1-canary-20')).catch((error) => error.code);
  expect([code, (await readdir(dir)).sort()]).toEqual(['USAGE', ['1-canary-20', '1-stable']]);
});
