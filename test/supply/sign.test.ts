import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Attachments, attachmentsInLayout, type OciLayout } from '../../src/image/index.ts';
import { attachmentsInRegistry, pushImage } from '../../src/registry/index.ts';
import { openBundle, signedDocument } from '../../src/supply/bundle.ts';
import { attachStatements, readPublicKey, readSigningKey, signImage, verifyImage } from '../../src/supply/index.ts';
import { serializeStatement } from '../../src/supply/statement.ts';
import { FakeRegistry } from '../registry/fake-registry.ts';
import { ref, World } from '../registry/world.ts';
import { COSIGN, contract, cosignKey, cosignPublic, image, newKey } from './world.ts';

const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';
const SLSA = 'https://slsa.dev/provenance/v1';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

let world: World;
let layout: OciLayout;
let fake: FakeRegistry | undefined;
beforeEach(async () => {
  world = new World();
  layout = await world.layout();
});
afterEach(async () => {
  await fake?.stop();
  fake = undefined;
  await world.remove();
});

test('reads the signature that cosign made', async () => {
  const bundle = readFileSync(join(COSIGN, 'bundle.json'));
  const statement = openBundle(bundle, await cosignPublic());
  expect(statement.predicateType).toBe(SIGNATURE);
  expect(statement.subject[0]?.digest?.sha256).toStartWith('9b49337a');
  const other = await readPublicKey(newKey(world.dir, 'other').pub);
  expect(() => openBundle(bundle, other)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
  const changed = Buffer.from(bundle.toString().replace('"payload":"eyJf', '"payload":"eyJg'));
  expect(() => openBundle(changed, other)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
});

const PLACES = ['the local store', 'a registry', 'a registry without the referrers API'] as const;
describe.each(PLACES)('in %s', (place) => {
  /** An image where the test wants it. */
  async function put(options?: Parameters<typeof image>[2], name = 'ml/iris:1'): Promise<() => Promise<Attachments>> {
    if (place === 'the local store') {
      await image(layout, name, options);
      return () => attachmentsInLayout(layout, name);
    }
    fake ??= await FakeRegistry.start({ referrersApi: place === 'a registry' });
    const reference = ref(`${fake.host}/${name}`);
    await image(layout, name, options);
    const registry = world.registry();
    await pushImage({ registry, layout, source: name, to: reference });
    return () => attachmentsInRegistry({ registry, reference, write: true });
  }

  test('what is signed is verified, index and platforms; signing again adds nothing', async () => {
    const open = await put({ platforms: ['amd64', 'arm64'] });
    const key = await cosignKey();
    const signed = await signImage(await open(), key, { provenance: false });
    expect(signed.signatures.map((one) => one.predicateType)).toEqual([SIGNATURE, SIGNATURE, SIGNATURE]);
    const verified = await verifyImage(await open(), await cosignPublic());
    expect(verified.signatures.length).toBe(1);
    expect(verified.platforms).toMatchObject([
      { platform: 'linux/amd64', signedBy: 'manifest', model: contract.model.digest, sbom: 'none' },
      { platform: 'linux/arm64', signedBy: 'manifest' },
    ]);
    const again = await signImage(await open(), key, { provenance: false });
    expect(again.signatures.map((one) => one.digest)).toEqual([undefined, undefined, undefined]);
  });

  test('an image without a signature, and one with that of another key, are refused', async () => {
    const open = await put();
    await expect(verifyImage(await open(), await cosignPublic())).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
    const other = await readSigningKey(newKey(world.dir, 'other').key, undefined);
    await signImage(await open(), other, { provenance: false });
    await expect(verifyImage(await open(), await cosignPublic())).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    // Signed by both, it is whose key one asks for.
    await signImage(await open(), await cosignKey(), { provenance: false });
    expect((await verifyImage(await open(), await cosignPublic())).verified).toBe(true);
  });

  test("another image's signature, attached to this one, does not count, and hides no good one", async () => {
    const honest = await put({}, 'ml/iris:1');
    const key = await cosignKey();
    await signImage(await honest(), key, { provenance: false });
    const source = await honest();
    const [bundle] = (await source.referrers(source.root.digest)).filter((one) => one.artifactType === BUNDLE);
    const manifest = JSON.parse(new TextDecoder().decode(await source.manifest(bundle?.digest as string)));
    const bytes = await source.blob(manifest.layers[0]);
    const open = await put({}, 'ml/iris:2');
    const target = await open();
    expect(target.root.digest).not.toBe(source.root.digest);
    const attach = (content: Uint8Array) =>
      target.attach(target.root, { artifactType: BUNDLE, layers: [{ mediaType: BUNDLE, bytes: content }] });
    await attach(bytes);
    await attach(new TextEncoder().encode('{"mediaType":"no bundle"}'));
    await expect(verifyImage(target, await cosignPublic())).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    await signImage(target, key, { provenance: false });
    expect((await verifyImage(await open(), await cosignPublic())).signatures.length).toBe(1);
  });

  test('a signed image that contradicts itself is refused', async () => {
    const open = await put({ label: `sha256:${'9'.repeat(64)}` });
    await signImage(await open(), await cosignKey(), { provenance: false });
    await expect(verifyImage(await open(), await cosignPublic())).rejects.toMatchObject({ code: 'CONTRACT_INVALID' });
  });
});

test("cosign's older signatures, in a tag beside the image, are read", async () => {
  fake = await FakeRegistry.start();
  await image(layout, 'x');
  const reference = ref(`${fake.host}/ml/iris:1`);
  const { digest } = await pushImage({ registry: world.registry(), layout, source: 'x', to: reference });
  const { key, pub, privateKey } = newKey(world.dir, 'old');
  expect((await readSigningKey(key, undefined)).fingerprint).toBe((await readPublicKey(pub)).fingerprint);
  const put = async (said: unknown, signedBytes?: Uint8Array) => {
    const payload = Buffer.from(JSON.stringify(said));
    const signature = sign('sha256', signedBytes ?? payload, privateKey).toString('base64');
    const layer = await layout.putBytes(payload, 'application/vnd.dev.cosign.simplesigning.v1+json');
    const config = await layout.putJson({}, 'application/vnd.oci.image.config.v1+json');
    const layers = [{ ...layer, annotations: { 'dev.cosignproject.cosign/signature': signature } }];
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    await layout.tag('sig', await layout.putJson({ schemaVersion: 2, mediaType, config, layers }, mediaType));
    const to = { ...reference, tag: `${digest.replace(':', '-')}.sig` };
    await pushImage({ registry: world.registry(), layout, source: 'sig', to, force: true });
  };
  const verify = async () =>
    verifyImage(
      await attachmentsInRegistry({ registry: world.registry(), reference, write: false }),
      await readPublicKey(pub),
    );
  const critical = (of: string, type = 'cosign container image signature') => ({
    critical: { identity: { 'docker-reference': '' }, image: { 'docker-manifest-digest': of }, type },
    optional: null,
  });
  await put(critical(digest));
  expect((await verify()).signatures).toEqual([`${digest.replace(':', '-')}.sig`]);
  for (const [said, signedBytes] of [
    [critical(`sha256:${'0'.repeat(64)}`)],
    [critical(digest, 'something else')],
    [critical(digest), Buffer.from('other bytes')],
  ] as const) {
    await put(said, signedBytes);
    await expect(verify()).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  }
});

describe('what a build says', () => {
  async function built(name = 'iris:1') {
    const result = await image(layout, name);
    const config = { name: 'iris', version: '0.0.1', model: 'iris.onnx' };
    const project = { format: 'onnx', dir: world.dir, config, contract, modelPath: join(world.dir, 'iris.onnx') };
    await attachStatements({
      layout,
      project: project as never,
      built: result,
      compression: 'zstd',
      epochS: 0,
      inlayVersion: '0.1.0',
      env: { PATH: process.env.PATH, GIT_CEILING_DIRECTORIES: world.dir },
    });
    return result;
  }

  test('is signed with the image in the local store, and covers the SBOM', async () => {
    await built();
    const open = () => attachmentsInLayout(layout, 'iris:1');
    const signed = await signImage(await open(), await cosignKey(), { provenance: true });
    expect(signed.signatures.map((one) => one.predicateType)).toEqual([SIGNATURE, SLSA, SIGNATURE, SLSA]);
    const [platform] = (await verifyImage(await open(), await cosignPublic())).platforms;
    expect(platform).toMatchObject({ provenance: 'signed', sbom: 'signed' });
  });

  test('is pushed with the image, before its tag, once, and verified there', async () => {
    fake = await FakeRegistry.start({ referrersApi: false });
    await built();
    await signImage(await attachmentsInLayout(layout, 'iris:1'), await cosignKey(), { provenance: true });
    const reference = ref(`${fake.host}/ml/iris:1`);
    const push = () => pushImage({ registry: world.registry(), layout, source: 'iris:1', to: reference });
    const first = await push();
    expect(first.referrers.length).toBe(7);
    const puts = fake.seen.filter((one) => one.method === 'PUT' && one.path.includes('/manifests/'));
    expect(puts.at(-1)?.path).toEndWith('/manifests/1');
    fake.reset();
    expect((await push()).referrers).toEqual(first.referrers);
    expect(fake.seen.filter((one) => one.method !== 'GET' && one.method !== 'HEAD')).toEqual([]);
    const there = await attachmentsInRegistry({ registry: world.registry(), reference, write: false });
    const verified = await verifyImage(there, await cosignPublic());
    expect(verified.platforms).toMatchObject([{ signedBy: 'manifest', provenance: 'signed', sbom: 'signed' }]);
  });

  test('in a registry is not signed: anybody may have attached it', async () => {
    fake = await FakeRegistry.start();
    await built();
    const reference = ref(`${fake.host}/ml/iris:1`);
    await pushImage({ registry: world.registry(), layout, source: 'iris:1', to: reference });
    const open = () => attachmentsInRegistry({ registry: world.registry(), reference, write: true });
    const signed = await signImage(await open(), await cosignKey(), { provenance: false });
    expect(new Set(signed.signatures.map((one) => one.predicateType))).toEqual(new Set([SIGNATURE]));
    const { platforms } = await verifyImage(await open(), await cosignPublic());
    expect(platforms).toMatchObject([{ provenance: 'none', sbom: 'unsigned' }]);
  });
});

test('an image whose index was changed in the local store is refused', async () => {
  const { index } = await image(layout, 'iris:1');
  await signImage(await attachmentsInLayout(layout, 'iris:1'), await cosignKey(), { provenance: false });
  const path = layout.blobPath(index.digest);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"linux"', '"lynux"'));
  expect(`sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`).not.toBe(index.digest);
  await expect(verifyImage(await attachmentsInLayout(layout, 'iris:1'), await cosignPublic())).rejects.toMatchObject({
    code: 'INTEGRITY_MISMATCH',
  });
});

test('a signed index of something else than images is refused, not a fault', async () => {
  const inner = await image(layout, 'inner:1');
  const platform = { os: 'linux', architecture: 'amd64' };
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = { schemaVersion: 2, mediaType, manifests: [{ ...inner.index, platform }] };
  await layout.tag('outer:1', await layout.putJson(index, mediaType));
  const open = () => attachmentsInLayout(layout, 'outer:1');
  await signImage(await open(), await cosignKey(), { provenance: true });
  await expect(verifyImage(await open(), await cosignPublic())).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});

test('a key that signed where an image comes from has not signed the image', async () => {
  const { index } = await image(layout, 'iris:1');
  const subject = [{ digest: { sha256: index.digest.slice(7) } }];
  const attachments = await attachmentsInLayout(layout, 'iris:1');
  const statement = serializeStatement(subject, SLSA, {});
  await attachments.attach(attachments.root, signedDocument(statement, SLSA, await cosignKey()));
  await expect(verifyImage(attachments, await cosignPublic())).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
});
