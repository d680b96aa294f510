// sign, verify and inspect as scripts meet them.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import { OciLayout } from '../../src/image/index.ts';
import { endOf } from '../end-of.ts';
import { FakeRegistry } from '../registry/fake-registry.ts';
import { World } from '../registry/world.ts';
import { COSIGN, image, newKey, PASSWORD } from './world.ts';

const MAIN = join(import.meta.dir, '..', '..', 'src', 'cli', 'main.ts');
const KEY = join(COSIGN, 'cosign.key');
const PUB = join(COSIGN, 'cosign.pub');
let world: World;
let fake: FakeRegistry;
let layout: OciLayout;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start();
  layout = await OciLayout.open(join(world.dir, 'home', 'oci'));
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

async function inlay(...args: string[]) {
  const env = { PATH: process.env.PATH ?? '', HOME: world.dir, INLAY_HOME: join(world.dir, 'home') };
  const child = Bun.spawn([process.execPath, '--no-env-file', MAIN, ...args], {
    env: { ...env, COSIGN_PASSWORD: PASSWORD },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return endOf(child);
}
const codeOf = ({ stderr }: { stderr: string }) => (JSON.parse(stderr) as { error: { code: string } }).error.code;

test('sign and verify in a registry: one document each, 1 where the answer is no, 2 for a key that is none', async () => {
  const name = `${fake.host}/ml/iris:1`;
  const { index } = await image(layout, name);
  expect((await inlay('push', name)).code).toBe(0);
  const before = await inlay('verify', name, '--key', PUB, '--json');
  expect([before.code, before.stdout, codeOf(before)]).toEqual([1, '', 'SIGNATURE_MISSING']);
  const signed = await inlay('sign', name, '--key', KEY, '--json');
  expect(JSON.parse(signed.stdout)).toMatchObject({ digest: index.digest, signatures: [{}, {}] });
  const verified = await inlay('verify', name, '--key', PUB, '--json');
  expect(JSON.parse(verified.stdout)).toMatchObject({ verified: true, digest: index.digest });
  expect(JSON.parse(verified.stdout).notChecked.length).toBeGreaterThan(0);
  const other = await inlay('verify', name, '--key', newKey(world.dir, 'other').pub, '--json');
  expect([other.code, codeOf(other)]).toEqual([1, 'SIGNATURE_INVALID']);
  const none = await inlay('verify', name, '--key', join(world.dir, 'none'), '--json');
  expect([none.code, codeOf(none)]).toEqual([2, 'KEY_INVALID']);
}, 30_000);

test('push --sign signs in the local store and takes the signatures along; inspect shows them', async () => {
  const name = `${fake.host}/ml/iris:1`;
  await image(layout, name);
  const pushed = await inlay('push', name, '--sign', KEY, '--json');
  expect([pushed.code, JSON.parse(pushed.stdout).referrers.length]).toEqual([0, 2]);
  expect((await inlay('verify', name, '--key', PUB)).stdout).toStartWith(`verified  ${name}@sha256:`);
  for (const where of [name, `${fake.host}/ml/iris@${JSON.parse(pushed.stdout).digest}`]) {
    const shown = JSON.parse((await inlay('inspect', where, '--platform', 'linux/amd64', '--json')).stdout);
    expect([shown.signatures.length, shown.sboms, shown.provenance]).toEqual([2, [], []]);
  }
  // A wrong key is told before anything is sent.
  fake.reset();
  expect((await inlay('push', name, '--sign', PUB)).code).toBe(2);
  expect(fake.seen).toEqual([]);
}, 30_000);
