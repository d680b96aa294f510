// What deploy takes for stable, and when it has nothing to do.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { adopt, type DeployOptions, deploy, JournalStore, stableRelease } from '../../../src/cluster/index.ts';
import { emptyJournal } from '../../../src/cluster/journal/index.ts';
import { applyShared, applyWorkload } from '../../../src/cluster/rollout/apply.ts';
import { isInlayError } from '../../../src/error/index.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { planOf } from '../plans.ts';
import { journalOf, released, releaseOf } from '../releases.ts';

const REPLICAS = { initial: 2, min: 1, max: 2 };
const DEPLOY = { replicas: REPLICAS, ingress: { host: 'iris.example.com' }, imagePullSecrets: ['regcred'] };
const { image } = released(1, '1');
const plan = { ...planOf(DEPLOY), image };
const resolve = async (reference: string) => ({ ...image, reference, digest: reference.split('@')[1] ?? '' });

let api: FakeCluster;
beforeEach(() => {
  api = new FakeCluster();
});
afterEach(() => api.stop());

const released1 = (more: Partial<DeployOptions> = {}) =>
  deploy({
    ...{ kube: api.kube(), namespace: 'ml', service: 'iris', actor: 'ada', holder: `ada ${crypto.randomUUID()}` },
    ...{ image, deploy: DEPLOY, ...more },
  });
const DEPLOYMENT = '/apis/apps/v1/namespaces/ml/deployments/iris';

test('what runs as it was released is not released again', async () => {
  expect((await released1()).unchanged).toBe(false);
  expect((await released1()).unchanged).toBe(true);
});

test.each([
  ['its Deployment is gone', DEPLOYMENT],
  ['its Service is gone', '/api/v1/namespaces/ml/services/iris'],
])('the same image is released again where %s', async (_, path) => {
  await released1();
  api.objects.delete(path);
  expect((await released1()).unchanged).toBe(false);
  expect(api.objects.has(path)).toBe(true);
  expect(api.deployment('iris')).toEqual({ image: image.reference, replicas: REPLICAS.initial });
});

test('and where somebody has given it another image', async () => {
  await released1();
  const { digest, reference, ...other } = released(9, '9').image;
  await applyWorkload(api.kube(), { ...plan, image: { ...other, digest, reference } }, 'stable', REPLICAS, {
    force: true,
  });
  expect((await released1()).unchanged).toBe(false);
  expect(api.deployment('iris')?.image).toBe(image.reference);
});

test('a program that died before it had said how many pods there are: the next one says it', async () => {
  await released1();
  // As an API server notes it: nobody owns the replicas, and one is the default.
  const stored = api.objects.get(DEPLOYMENT);
  if (!stored) throw new Error('no Deployment');
  const { replicas, ...spec } = stored.spec as { replicas: number };
  api.objects.set(DEPLOYMENT, {
    ...stored,
    metadata: {
      ...stored.metadata,
      managedFields: [{ manager: 'inlay', fieldsV1: { 'f:spec': { 'f:template': {} } } }],
    },
    spec,
  } as never);
  await applyWorkload(api.kube(), plan, 'stable', REPLICAS, { force: false });
  expect(api.deployment('iris')?.replicas).toBe(REPLICAS.initial);
});

test('what was applied without inlay is adopted with what inlay.yaml says, or not at all', async () => {
  await applyShared(api.kube(), plan, { force: false });
  await applyWorkload(api.kube(), plan, 'stable', REPLICAS, { force: false });
  const adopted = await adopt(api.kube(), 'ml', emptyJournal('iris'), { resolve, deploy: DEPLOY });
  expect(stableRelease(adopted)).toMatchObject({ image: { digest: image.digest }, deploy: DEPLOY });
  // Without it, its Ingress and pull secrets would be gone after the next release.
  const next = released(2, '2').image;
  const code = await released1({ image: next, deploy: undefined, resolve }).catch(
    (error) => isInlayError(error) && error.code,
  );
  expect([code, api.names().includes('ingresses/iris')]).toEqual(['USAGE', true]);
});

test('for Git, stable is what runs: what inlay has released may be older', async () => {
  await released1();
  const two = released(2, '2').image;
  await applyWorkload(api.kube(), { ...plan, image: two }, 'stable', REPLICAS, { force: true });
  const found = await new JournalStore(api.kube(), 'ml', 'iris').open();
  const how = { resolve, deploy: DEPLOY };
  expect(stableRelease(await adopt(api.kube(), 'ml', found, how))?.image.digest).toBe(image.digest);
  const now = await adopt(api.kube(), 'ml', found, { ...how, asItRuns: true });
  expect(stableRelease(now)).toMatchObject({ image: { digest: two.digest }, deploy: DEPLOY });
  expect(await adopt(api.kube(), 'ml', journalOf(), { ...how, asItRuns: true })).toMatchObject({
    releases: [{ image: { digest: two.digest } }],
  });
});

test('a release that waits for a decision is judged anew, by its Job too', async () => {
  const { outcome, endedAt, ...going } = releaseOf(1, '1', { deploy: DEPLOY, state: 'paused', steps: [] });
  const store = new JournalStore(api.kube(), 'ml', 'iris');
  await store.open();
  await store.write(journalOf(going));
  const begun: string[] = [];
  await released1({ detach: async ({ state }) => void begun.push(state) });
  expect([begun, (await store.read())?.journal.releases[0]?.state]).toEqual([['running'], 'running']);
});
