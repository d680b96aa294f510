// A project that names no base, on a machine without apt: the command as a person meets it.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-base-unset-'));
  cpSync(join(import.meta.dir, '../../examples/iris'), join(dir, 'iris'), { recursive: true });
  mkdirSync(join(dir, 'bin'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function build(...args: string[]): Promise<{ code: string; message: string; hint: string }> {
  const main = join(import.meta.dir, '../../src/cli/main.ts');
  const child = Bun.spawn([process.execPath, '--no-env-file', main, 'build', join(dir, 'iris'), '--json', ...args], {
    // Nothing on PATH, and no way out.
    env: { PATH: join(dir, 'bin'), HOME: dir, INLAY_HOME: join(dir, 'home'), HTTPS_PROXY: 'http://127.0.0.1:1' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  return JSON.parse(await new Response(child.stderr).text()).error;
}

test('a lock that pins packages wants apt, and says what else there is', async () => {
  const { code, hint } = await build();
  expect(code).toBe('BASE_UNAVAILABLE');
  expect(hint).toContain('gcr.io/distroless/cc-debian12');
});

test('without a lock it is the distroless image, which that machine cannot reach', async () => {
  rmSync(join(dir, 'iris', 'inlay.lock'));
  const { code, message } = await build();
  expect(code).toBe('REGISTRY_UNREACHABLE');
  expect(message).toContain('gcr.io/distroless/cc-debian12');
}, 30_000);

test('--base comes before both', async () => {
  expect((await build('--base', 'not a reference')).code).toBe('REFERENCE_INVALID');
  expect((await build('--base', 'apt')).code).toBe('BASE_UNAVAILABLE');
  const { code, message } = await build('--base', '127.0.0.1:1/x/y:1');
  expect([code, message.includes('127.0.0.1:1/x/y')]).toEqual(['REGISTRY_UNREACHABLE', true]);
}, 30_000);
