// Signatures with cosign on the other side, and what scanners get of an image.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cosign, crane } from './go-programs.ts';
import { must, ROOT, run } from './inlay.ts';
import { type RunningRegistry, startCraneRegistry, startDockerRegistry } from './registries.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const INLAY = join(ROOT, 'bin', 'inlay');
const env = { INLAY_HOME: HOME, COSIGN_PASSWORD: 'pässw0rd', COSIGN_YES: 'true' };
/** No transparency log: keys of a team's own, in a network of its own. */
const PRIVATE = ['--insecure-ignore-tlog=true'];
const OFFLINE = ['--tlog-upload=false', '--use-signing-config=false'];

let dir: string;
let program: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-supply-'));
  program = await cosign();
  await crane();
  for (const name of ['team', 'other'])
    await must([program, 'generate-key-pair', '--output-key-prefix', name], { cwd: dir, env });
}, 1_800_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const key = (name: string) => join(dir, `${name}.key`);
const pub = (name: string) => join(dir, `${name}.pub`);
const inlay = (...args: string[]) => run([INLAY, ...args], { env });
const verify = (image: string, name = 'team') =>
  run([program, 'verify', '--key', pub(name), ...PRIVATE, image], { env });
const refused = async (image: string, name = 'team') => {
  const { code, stderr } = await inlay('verify', image, '--key', pub(name), '--json');
  return [code, (JSON.parse(stderr) as { error: { code: string } }).error.code];
};

describe.each([
  ['docker-registry', startDockerRegistry],
  ['crane registry serve', startCraneRegistry],
] as const)('%s', (_, start) => {
  let registry: RunningRegistry;
  let version = 0;
  beforeAll(async () => {
    registry = await start();
  });
  afterAll(() => registry?.stop());

  /** Builds an image of its own, and pushes it. */
  async function pushed(...args: string[]): Promise<string> {
    const project = join(dir, `iris-${registry.host.split(':')[1]}-${++version}`);
    cpSync(join(ROOT, 'examples', 'iris'), project, { recursive: true });
    const config = readFileSync(join(project, 'inlay.yaml'), 'utf8');
    const named = config.replace(/^version:.*$/m, `version: "1.0.${version}"\nimage: ${registry.host}/ml/iris`);
    writeFileSync(join(project, 'inlay.yaml'), named);
    await must([INLAY, 'lock', project], { env });
    await must([INLAY, 'build', project, '--push', ...args], { env });
    return `${registry.host}/ml/iris:1.0.${version}`;
  }

  test('cosign verifies what inlay signed, the image and where it comes from; another key it refuses', async () => {
    const image = await pushed('--sign', key('team'));
    expect((await verify(image)).code).toBe(0);
    expect((await verify(image, 'other')).code).not.toBe(0);
    const type = ['--type', 'slsaprovenance1', '--key', pub('team')];
    const told = await must([program, 'verify-attestation', ...type, ...PRIVATE, image], { env });
    const { payload } = JSON.parse(told.split('\n')[0] as string) as { payload: string };
    const statement = JSON.parse(Buffer.from(payload, 'base64').toString()) as { predicateType: string };
    expect(statement.predicateType).toBe('https://slsa.dev/provenance/v1');
    expect((await inlay('verify', image, '--key', pub('team'))).code).toBe(0);
    expect(await refused(image, 'other')).toEqual([1, 'SIGNATURE_INVALID']);
    // Each platform's manifest is signed too: a node resolves the tag to it.
    const manifest = JSON.parse(await must([await crane(), 'manifest', '--insecure', image])) as {
      manifests: { digest: string }[];
    };
    const platform = `${registry.host}/ml/iris@${manifest.manifests[0]?.digest}`;
    expect((await verify(platform)).code).toBe(0);
    // A copy takes the signatures along.
    await must([INLAY, 'copy', image, `${registry.host}/prod/iris:1.0.${version}`], { env });
    expect((await verify(`${registry.host}/prod/iris:1.0.${version}`)).code).toBe(0);
  }, 300_000);

  test('inlay sign after the push, with PKCS#8', async () => {
    const image = await pushed();
    expect(await refused(image)).toEqual([1, 'SIGNATURE_MISSING']);
    await must(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key('p8')]);
    await must(['openssl', 'pkey', '-in', key('p8'), '-pubout', '-out', pub('p8')]);
    await must([INLAY, 'sign', image, '--key', key('p8')], { env });
    expect((await verify(image, 'p8')).code).toBe(0);
    expect((await inlay('verify', image, '--key', pub('p8'))).code).toBe(0);
  }, 300_000);

  test.each([
    ['as a bundle', []],
    ['in the older way, a tag', ['--new-bundle-format=false']],
  ])(
    'inlay verifies what cosign signed %s',
    async (_, format) => {
      const image = await pushed();
      await must([program, 'sign', '--key', key('team'), ...OFFLINE, ...format, image], { env });
      expect((await inlay('verify', image, '--key', pub('team'))).code).toBe(0);
      expect(await refused(image, 'other')).toEqual([1, 'SIGNATURE_INVALID']);
    },
    300_000,
  );

  test('an image that was changed after it was signed is refused, its tag forced over the signed one', async () => {
    const image = await pushed('--sign', key('team'));
    // Another environment variable: another config, manifest and digest, under the same tag.
    await must([await crane(), 'mutate', '--insecure', '--env', 'EVIL=1', '--tag', image, image], { env });
    expect(await refused(image)).toEqual([1, 'SIGNATURE_MISSING']);
    expect((await verify(image)).code).not.toBe(0);
  }, 300_000);
});
