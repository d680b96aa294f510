import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { toldOfFiles } from '../../src/cli/file-error.ts';
import { inlayHome } from '../../src/cli/home.ts';

const INLAY = join(import.meta.dir, '../../src/cli/main.ts');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-file-error-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const told = (work: Promise<unknown>) => work.then(() => undefined, toldOfFiles);

test('a folder that cannot be made is told as what the system refuses, not as a fault of inlay', async () => {
  const file = join(dir, 'file');
  writeFileSync(file, '');
  const child = Bun.spawn([process.execPath, INLAY, 'prune', '--local', '--json'], {
    env: { PATH: process.env.PATH, HOME: dir, INLAY_HOME: join(file, 'home') },
    stderr: 'pipe',
  });
  const { error } = JSON.parse(await new Response(child.stderr).text());
  expect(await child.exited).toBe(3);
  expect(error).toMatchObject({ code: 'FILE_REFUSED', hint: expect.stringContaining('INLAY_HOME') });
  expect(error.message).toContain(file);
});

test.skipIf(!existsSync('/dev/full'))('a full disk is told as one', async () => {
  expect(await told(writeFile('/dev/full', 'x'))).toMatchObject({ code: 'DISK_FULL' });
});

test('what is no word about a file stays what it was', async () => {
  expect(await told(mkdir(join(dir, 'none', 'folder')))).toMatchObject({ code: 'ENOENT' });
  const fault = new TypeError('x is not a function');
  expect(toldOfFiles(fault)).toBe(fault);
});

test('inlay’s folder is absolute, however it was named', () => {
  expect(isAbsolute(inlayHome({ INLAY_HOME: '.inlay' }))).toBe(true);
  expect(isAbsolute(inlayHome({ XDG_CACHE_HOME: 'cache' }))).toBe(true);
});
