import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareServer } from '../../src/image/prepared-server.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-server-'));
});
afterEach(() => rmSync(dir, { recursive: true }));
const note = () => join(dir, 'server', readdirSync(join(dir, 'server'))[0] as string);

test('a server that was bundled before has the same key, packages and files', async () => {
  const first = await prepareServer(dir);
  expect(first.packages.map(({ name }) => name)).toContain('yaml');
  const again = await prepareServer(dir);
  expect([again.key, again.packages]).toEqual([first.key, first.packages]);
  expect(await again.entries()).toEqual(await first.entries());
  // The second answer came from the note.
  const known = { schemaVersion: 1, key: 'a'.repeat(64), packages: [{ name: 'noted', version: '1.0.0' }] };
  writeFileSync(note(), JSON.stringify(known));
  expect(await prepareServer(dir)).toMatchObject({ key: known.key, packages: known.packages });
}, 30_000);

test('a note that cannot be read is none', async () => {
  const { key, packages } = await prepareServer(dir);
  for (const text of ['', key, JSON.stringify({ schemaVersion: 1, key })]) {
    writeFileSync(note(), text);
    const again = await prepareServer(dir);
    expect([again.key, again.packages]).toEqual([key, packages]);
  }
}, 30_000);
