import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUNTIME_LOCK } from '../../src/image/runtime/lock.ts';
import { unpackOnce } from '../../src/image/runtime/npm-tarball.ts';
import { bundleServer } from '../../src/image/server-layer.ts';

test('the runtime of the image is the one that inlay itself runs on', async () => {
  const lock = await Bun.file(join(import.meta.dir, '../../package-lock.json')).json();
  for (const [name, pin] of Object.entries(RUNTIME_LOCK)) {
    const { version, integrity } = lock.packages[`node_modules/${name}`];
    expect([name, { version, integrity }]).toEqual([name, pin]);
  }
  expect(Bun.version).toBe(RUNTIME_LOCK['@oven/bun-linux-x64']?.version as string);
});

test('the lock files name no download address', async () => {
  for (const file of ['package-lock.json', 'src/image/runtime/runtime-lock.json', 'examples/iris/inlay.lock']) {
    const text = await Bun.file(join(import.meta.dir, '../..', file)).text();
    expect([file, /"resolved"|tarball|\.deb\b|URIs/.test(text)]).toEqual([file, false]);
  }
});

test('the server’s bundle is the same twice, names no path of this machine, and has its assets', async () => {
  const one = await bundleServer();
  const other = await bundleServer();
  expect(one.key).toBe(other.key);
  const names = one.entries.map((entry) => entry.path.replace(/-[a-z0-9]{8}\.js$/, '-HASH.js'));
  expect([...new Set(names)].sort()).toEqual([
    'opt/inlay/server/grpc-HASH.js',
    'opt/inlay/server/main.js',
    'opt/inlay/server/main.js.jsc',
    'opt/inlay/server/playground-icon.svg',
    'opt/inlay/server/playground.css',
    'opt/inlay/server/playground.js',
    'opt/inlay/server/project-HASH.js',
    'opt/inlay/server/replica-worker.js',
    'opt/inlay/server/session-worker.js',
    'opt/inlay/server/swagger-ui-bundle.js',
    'opt/inlay/server/swagger-ui.css',
    'opt/inlay/server/watchdog-worker.js',
  ]);
  // Of the browser's script, too: the bill of materials has what is in it.
  expect(one.packages.map(({ name }) => name)).toContain('d3-dsv');
  const main = one.entries.find((entry) => entry.path.endsWith('main.js'));
  expect(new TextDecoder().decode(main?.content as Uint8Array)).not.toContain(join(import.meta.dir, '../..'));
});

test('half a package in the cache is fetched again, not unpacked', async () => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'inlay-runtime-'));
  try {
    mkdirSync(join(cacheDir, 'npm'));
    const name = 'onnxruntime-common';
    writeFileSync(join(cacheDir, 'npm', `${name}-${RUNTIME_LOCK[name]?.version}.tgz`), 'half');
    const options = { cacheDir, env: { PATH: cacheDir } };
    // There is no npm in that PATH.
    await expect(unpackOnce(join(cacheDir, 'to'), [{ name, place: (path) => path }], options)).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
    });
    expect(existsSync(join(cacheDir, 'to'))).toBe(false);
  } finally {
    rmSync(cacheDir, { recursive: true });
  }
});
