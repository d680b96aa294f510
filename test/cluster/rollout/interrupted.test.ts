// Releases whose program dies between two requests, and what the next one makes of them.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type Journal, JournalStore, type Release, resume } from '../../../src/cluster/index.ts';
import type { Step } from '../../../src/cluster/journal/index.ts';
import { applyShared, applyWorkload } from '../../../src/cluster/rollout/apply.ts';
import { isInlayError } from '../../../src/error/index.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { planOf } from '../plans.ts';
import { journalOf, released, releaseOf } from '../releases.ts';

let api: FakeCluster;
beforeEach(() => {
  api = new FakeCluster();
});
afterEach(() => api.stop());

const who = () => ({ kube: api.kube(), namespace: 'ml', service: 'iris', actor: 'ada', holder: `ada ${Math.random()}` });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (isInlayError(error) ? error.code : error),
  );
const CANARY = { interval: '1s', bake: '0s', steps: [20] };
const REPLICAS = { initial: 1, min: 1, max: 2 };
const OLD = { canary: CANARY, replicas: REPLICAS, ingress: { host: 'iris.example.com' } };
const NEW = { canary: CANARY, replicas: REPLICAS };

/** Version 1 as inlay has released it, and version 2 on its way: its steps as they are. */
async function underWay(steps: Step[], more: Partial<Release> = {}, deployOf: object = NEW): Promise<void> {
  const one: Release = { ...released(1, '1'), deploy: OLD };
  const two = releaseOf(2, '2', {
    deploy: deployOf,
    state: 'running',
    before: { reference: one.image.reference, digest: one.image.digest, version: '1' },
    steps,
    ...more,
  });
  const { outcome, endedAt, ...going } = two;
  await write(journalOf(one, going));
  const kube = api.kube();
  await applyShared(kube, { ...planOf(OLD), image: one.image }, { force: false });
  await applyWorkload(kube, { ...planOf(OLD), image: one.image }, 'stable', REPLICAS, { force: false });
}

async function write(journal: Journal): Promise<void> {
  const store = new JournalStore(api.kube(), 'ml', 'iris');
  await store.open();
  await (store as unknown as { write(journal: Journal): Promise<void> }).write(journal);
}

const last = async () => (await new JournalStore(api.kube(), 'ml', 'iris').read())?.journal.releases.at(-1);
const canary = async () => applyWorkload(api.kube(), { ...planOf(NEW), image: releaseOf(2, '2').image }, 'canary', REPLICAS, { force: false });

/** A step as it is once it has begun. */
const begun = (kind: Step['kind'], status: Step['status'] = 'running'): Step => ({
  kind,
  name: kind,
  status,
  startedAt: '2026-01-01T00:00:00.000Z',
  ...(kind === 'canary' ? { weight: { asked: 20 } } : {}),
});
const ahead = (kind: Step['kind']): Step => ({ kind, name: kind, status: 'pending' });

/** From the n-th change on, nothing reaches the API server any more, as of a program that was killed. */
function dieAt(n: number): () => boolean {
  let changes = 0;
  api.fault = (method, path) => {
    if (method === 'GET' || path.includes('/leases/')) return undefined;
    return ++changes >= n ? 403 : undefined;
  };
  return () => changes >= n;
}

function next(): void {
  api.fault = () => undefined;
  for (const path of api.objects.keys()) if (path.includes('/leases/')) api.objects.delete(path);
}

test('a canary that was given up is never gone on with, whichever request was the last', async () => {
  for (let n = 1; ; n++) {
    await api.stop();
    api = new FakeCluster();
    api.stuck.set('iris-canary', 'waits');
    await underWay([begun('canary'), ahead('promote'), ahead('retire')]);
    await new JournalStore(api.kube(), 'ml', 'iris').request({ kind: 'abort', by: 'eve', release: 2 });
    const died = dieAt(n);
    const first = await codeOf(resume(who()));
    if (!died()) {
      expect(first).toBe('RELEASE_FAILED');
      break;
    }
    next();
    api.stuck.clear();
    const code = await codeOf(resume(who()));
    expect([n, ['RELEASE_FAILED', 'NOTHING_TO_DO'].includes(String(code))]).toEqual([n, true]);
    expect([n, (await last())?.outcome]).toEqual([n, 'aborted']);
    expect([n, api.deployment('iris')?.image.includes(':1@'), api.deployment('iris-canary')]).toEqual([n, true, undefined]);
  }
}, 120_000);
