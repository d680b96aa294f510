import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  attachReferrer,
  copyImage,
  deleteManifest,
  listReferrers,
  listTags,
  pullImage,
  pushImage,
  resolveDigest,
} from '../../src/registry/index.ts';
import { FakeRegistry, type RegistryTraits } from './fake-registry.ts';
import { model, ref, World } from './world.ts';

const SIGNATURE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SBOM = 'application/vnd.cyclonedx+json';

let world: World;
const fakes: FakeRegistry[] = [];
const start = async (traits: RegistryTraits = {}) => {
  const fake = await FakeRegistry.start(traits);
  fakes.push(fake);
  return fake;
};
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  await Promise.all(fakes.splice(0).map((fake) => fake.stop()));
  await world.remove();
});

async function pushed(fake: FakeRegistry, name = 'ml/iris:1') {
  const layout = await world.layout();
  const full = `${fake.host}/${name}`;
  const image = await world.image(layout, full, model());
  await pushImage({ registry: world.registry(), layout, source: full, to: ref(full) });
  fake.reset();
  return { ...image, full };
}
const attach = (fake: FakeRegistry, name: string, artifactType: string, text: string) =>
  attachReferrer({
    registry: world.registry(),
    subject: ref(`${fake.host}/${name}`),
    artifactType,
    layers: [{ mediaType: artifactType, bytes: new TextEncoder().encode(text) }],
    annotations: { 'org.example.text': text },
  });

describe.each([
  ['with the referrers API', {}],
  ['without it', { referrersApi: false }],
  ['that claims to have it', { referrersApi: false, lyingSubject: true }],
] as const)('a registry %s', (_, traits) => {
  test('lists what was attached, by type, once', async () => {
    const fake = await start(traits);
    const { full, digest } = await pushed(fake);
    const signature = await attach(fake, 'ml/iris:1', SIGNATURE, 'signed');
    expect(signature.subject).toBe(digest);
    await attach(fake, 'ml/iris:1', SBOM, 'parts');
    expect((await attach(fake, 'ml/iris:1', SBOM, 'parts')).digest).not.toBe(signature.digest);
    const list = async (artifactType?: string) =>
      (
        await listReferrers({
          registry: world.registry(),
          reference: ref(full),
          ...(artifactType ? { artifactType } : {}),
        })
      ).map((d) => [d.artifactType, d.annotations?.['org.example.text']]);
    expect((await list()).toSorted()).toEqual([
      [SBOM, 'parts'],
      [SIGNATURE, 'signed'],
    ]);
    expect(await list(SIGNATURE)).toEqual([[SIGNATURE, 'signed']]);
    const tags = await listTags({ registry: world.registry(), reference: ref(full) });
    expect(tags.some((tag) => tag === digest.replace(':', '-'))).toBe('referrersApi' in traits);
    // A referrer that is deleted leaves the list.
    expect(await deleteManifest({ registry: world.registry(), reference: ref(full), digest: signature.digest })).toBe(
      true,
    );
    expect(await list()).toEqual([[SBOM, 'parts']]);
  });

  test('gives its referrers along when an image is copied from it, and takes them', async () => {
    const from = await start(traits);
    const to = await start(traits);
    const { full, digest, manifest } = await pushed(from);
    await attach(from, 'ml/iris:1', SIGNATURE, 'signed');
    await attach(from, `ml/iris@${manifest}`, SBOM, 'parts');
    const target = ref(`${to.host}/prod/iris:1.0`);
    const result = await copyImage({ registry: world.registry(), from: ref(full), to: target });
    expect(result.digest).toBe(digest);
    expect(result.referrers.length).toBe(2);
    expect(to.repo('prod/iris').tags.get('1.0')).toBe(digest);
    const listed = await listReferrers({ registry: world.registry(), reference: target });
    expect(listed.map((d) => d.artifactType)).toEqual([SIGNATURE]);
    const below = await listReferrers({
      registry: world.registry(),
      reference: ref(`${to.host}/prod/iris@${manifest}`),
    });
    expect(below.map((d) => d.artifactType)).toEqual([SBOM]);
    const layout = await world.layout();
    expect((await pullImage({ registry: world.registry(), layout, from: target, name: 'x:1' })).digest).toBe(digest);
  });
});

test('clients that write the fallback list at the same time lose nothing, where the registry heeds preconditions', async () => {
  const fake = await start({ referrersApi: false, preconditions: true });
  const { full } = await pushed(fake);
  await Promise.all([1, 2, 3].map((n) => attach(fake, 'ml/iris:1', SBOM, `parts ${n}`)));
  const listed = await listReferrers({ registry: world.registry(), reference: ref(full) });
  expect(listed.length).toBe(3);
});

describe('copying', () => {
  test('in one registry mounts, and sends manifests alone', async () => {
    const fake = await start();
    const { full, digest } = await pushed(fake);
    const result = await copyImage({
      registry: world.registry(),
      from: ref(full),
      to: ref(`${fake.host}/prod/iris:1`),
    });
    expect(result.mounted.length).toBe(5);
    expect(result.sentBytes).toBeLessThan(4000);
    expect(fake.repo('prod/iris').tags.get('1')).toBe(digest);
  });

  test('within a repository sets a tag', async () => {
    const fake = await start();
    const { full, digest } = await pushed(fake);
    const result = await copyImage({
      registry: world.registry(),
      from: ref(full),
      to: ref(`${fake.host}/ml/iris:stable`),
    });
    expect([result.uploaded, result.mounted]).toEqual([[], []]);
    expect(fake.repo('ml/iris').tags.get('stable')).toBe(digest);
  });

  test('goes on when either side drops', async () => {
    const from = await start();
    const to = await start();
    const { full, digest } = await pushed(from);
    from.fail({ kind: 'drop-answer', path: /blobs/, afterBytes: 60_000, times: 3 });
    to.fail({ kind: 'drop-request', method: 'PUT', path: /uploads/, afterBytes: 80_000, times: 2 });
    await copyImage({ registry: world.registry(), from: ref(full), to: ref(`${to.host}/ml/iris:1`) });
    expect(to.repo('ml/iris').tags.get('1')).toBe(digest);
  });

  test('refuses a tag that names another image', async () => {
    const fake = await start();
    const { full } = await pushed(fake);
    const { full: other } = await pushed(fake, 'ml/iris:2');
    expect(
      (await copyImage({ registry: world.registry(), from: ref(full), to: ref(other) }).catch((e) => e)).code,
    ).toBe('TAG_EXISTS');
  });

  test("takes cosign's older tags along", async () => {
    const fake = await start();
    const to = await start();
    const { full, digest } = await pushed(fake);
    const signature = await attach(fake, 'ml/iris:1', 'application/vnd.example', 'old signature');
    fake.repo('ml/iris').tags.set(`${digest.replace(':', '-')}.sig`, signature.digest);
    await copyImage({ registry: world.registry(), from: ref(full), to: ref(`${to.host}/ml/iris:1`) });
    expect(to.repo('ml/iris').tags.get(`${digest.replace(':', '-')}.sig`)).toBe(signature.digest);
  });
});

describe('listing and deleting', () => {
  test('tags come page by page', async () => {
    const fake = await start({ pageSize: 2 });
    const { full } = await pushed(fake);
    for (const tag of ['2', '3', '4', '5']) fake.repo('ml/iris').tags.set(tag, 'sha256:x');
    expect(await listTags({ registry: world.registry(), reference: ref(full) })).toEqual(['1', '2', '3', '4', '5']);
  });

  test('a tag resolves to its digest', async () => {
    const fake = await start();
    const { full, digest } = await pushed(fake);
    expect(await resolveDigest({ registry: world.registry(), reference: ref(full) })).toBe(digest);
  });

  test('a repository that is not there is told', async () => {
    const fake = await start();
    const error = await listTags({ registry: world.registry(), reference: ref(`${fake.host}/no/such`) }).catch(
      (e) => e,
    );
    expect(error.code).toBe('REGISTRY_NOT_FOUND');
  });

  test('deleting twice is no error; a registry that does not delete says what to do', async () => {
    const fake = await start();
    const { full, digest } = await pushed(fake);
    const query = { registry: world.registry(), reference: ref(full), digest };
    expect(await deleteManifest(query)).toBe(true);
    expect(await deleteManifest(query)).toBe(false);
    const stubborn = await start({ deletes: false });
    const there = await pushed(stubborn);
    const error = await deleteManifest({ ...query, reference: ref(there.full), digest: there.digest }).catch((e) => e);
    expect(error.code).toBe('REGISTRY_UNSUPPORTED');
    expect(error.hint).toContain('DELETE_ENABLED');
  });
});
