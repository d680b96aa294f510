// Releases whose program dies between two requests, and what the next one makes of them.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { abort, deploy, JournalStore, promote, type Release, resume } from '../../../src/cluster/index.ts';
import type { Step } from '../../../src/cluster/journal/index.ts';
import { applyRoute, applyShared, applyWorkload } from '../../../src/cluster/rollout/apply.ts';
import { isInlayError } from '../../../src/error/index.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { planOf } from '../plans.ts';
import { journalOf, released, releaseOf } from '../releases.ts';

let api: FakeCluster;
beforeEach(() => {
  api = new FakeCluster();
});
afterEach(() => api.stop());

const who = (of = api) => ({
  ...{ kube: of.kube(), namespace: 'ml', service: 'iris', actor: 'ada' },
  holder: `ada ${crypto.randomUUID()}`,
});
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (isInlayError(error) ? error.code : String(error)),
  );
const CANARY = { interval: '1s', bake: '0s', steps: [20] };
const REPLICAS = { initial: 1, min: 1, max: 2 };
const OLD = { canary: CANARY, replicas: REPLICAS, ingress: { host: 'iris.example.com' } };
const NEW = { canary: CANARY, replicas: REPLICAS };

/** Version 1 as inlay has released it, and version 2 on its way: its steps as they are. */
async function underWay(steps: Step[], more: Partial<Release> = {}, of = api): Promise<void> {
  const one: Release = { ...released(1, '1'), deploy: OLD };
  const two = releaseOf(2, '2', {
    deploy: NEW,
    state: 'running',
    before: { reference: one.image.reference, digest: one.image.digest, version: '1' },
    steps,
  });
  const { outcome, endedAt, ...going } = two;
  const kube = of.kube();
  const store = new JournalStore(kube, 'ml', 'iris');
  await store.open();
  await store.write(journalOf(one, { ...going, ...more }));
  await applyShared(kube, { ...planOf(OLD), image: one.image }, { force: false });
  await applyWorkload(kube, { ...planOf(OLD), image: one.image }, 'stable', REPLICAS, { force: false });
}

const last = async (of = api) => (await new JournalStore(of.kube(), 'ml', 'iris').read())?.journal.releases.at(-1);
const canary = async () =>
  applyWorkload(api.kube(), { ...planOf(NEW), image: releaseOf(2, '2').image }, 'canary', REPLICAS, { force: false });

/** The version that a Deployment runs. */
const runs = (name: string, of = api) => of.deployment(name)?.image.match(/:([^:@]+)@/)?.[1];

/** A step as it is once it has begun. */
const begun = (kind: Step['kind'], status: Step['status'] = 'running'): Step => ({
  kind,
  name: kind,
  status,
  startedAt: '2026-01-01T00:00:00.000Z',
  ...(kind === 'canary' ? { weight: { asked: 20 } } : {}),
});
const ahead = (kind: Step['kind']): Step => ({ kind, name: kind, status: 'pending' });

/**
 * Lets a program work on a cluster of its own for each n, with nothing that it changes from the n-th request on reaching the API server,
 * as of a program that was killed; then what comes after it, until it was killed nowhere.
 */
async function killedEverywhere(
  most: number,
  begin: (of: FakeCluster) => Promise<void>,
  work: (of: FakeCluster) => Promise<unknown>,
  after: (of: FakeCluster, n: number) => Promise<void>,
): Promise<void> {
  const killed = await Promise.all(
    Array.from({ length: most }, async (_, i) => {
      const of = new FakeCluster();
      await begin(of);
      let changes = 0;
      of.fault = (method, path) => (method !== 'GET' && !path.includes('/leases/') && ++changes > i ? 403 : undefined);
      await work(of).catch(() => {});
      of.fault = () => undefined;
      for (const path of of.objects.keys()) if (path.includes('/leases/')) of.objects.delete(path);
      await after(of, i);
      await of.stop();
      return changes > i;
    }),
  );
  // One of them came to its end, so all before it were all that there are.
  expect([killed[0], killed.at(-1)]).toEqual([true, false]);
}

test('a canary that was given up is never gone on with, whichever request was the last', async () => {
  await killedEverywhere(
    32,
    async (of) => {
      of.stuck.set('iris-canary', 'waits');
      await underWay([begun('canary'), ahead('promote'), ahead('retire')], {}, of);
      await new JournalStore(of.kube(), 'ml', 'iris').request({ kind: 'abort', by: 'eve', release: 2 });
    },
    (of) => resume(who(of)),
    async (of, n) => {
      of.stuck.clear();
      expect([n, ['RELEASE_FAILED', 'NOTHING_TO_DO'].includes(await codeOf(resume(who(of))))]).toEqual([n, true]);
      expect([n, (await last(of))?.outcome, runs('iris', of), runs('iris-canary', of)]).toEqual([
        ...[n, 'aborted', '1'],
        undefined,
      ]);
    },
  );
}, 120_000);

test('undoing that did not succeed is gone on with, whichever request was the last', async () => {
  await killedEverywhere(
    16,
    async (of) => {
      of.stuck.set('iris', 'late');
      const restore: Step = { kind: 'restore', name: 'restore stable', status: 'pending' };
      await underWay(
        [begun('canary', 'done'), begun('promote', 'failed'), restore],
        { state: 'backing-out', outcome: 'backed-out', reason: 'no' },
        of,
      );
    },
    (of) => resume(who(of)),
    async (of, n) => {
      expect([n, await codeOf(resume(who(of)))]).toEqual([n, 'RELEASE_UNFINISHED']);
      of.stuck.clear();
      expect([n, await codeOf(abort(who(of))), (await last(of))?.outcome]).toEqual([n, 'done', 'backed-out']);
    },
  );
}, 120_000);

test('a canary whose steps a promotion has skipped is taken away when the promotion fails', async () => {
  await underWay([{ ...begun('canary', 'skipped') }, begun('promote'), ahead('retire')]);
  await canary();
  expect(await codeOf(abort(who()))).toBe('done');
  expect([runs('iris'), runs('iris-canary')]).toEqual(['1', undefined]);
});

test('what both roles share is as it was when a canary is backed out', async () => {
  await underWay([begun('canary'), ahead('promote'), ahead('retire')]);
  const before = api.names();
  expect(before).toContain('ingresses/iris');
  // The canary's step, whose deploy: has no Ingress and has a Gateway, died before its end.
  const gateway = { parents: [{ name: 'edge' }] };
  const plan = { ...planOf({ ...NEW, gateway }), image: releaseOf(2, '2').image };
  await applyShared(api.kube(), plan, { force: false });
  await applyRoute(api.kube(), plan, { stable: 80, canary: 20 }, { force: false });
  await canary();
  expect(api.names()).not.toContain('ingresses/iris');
  expect(await codeOf(abort(who()))).toBe('done');
  expect(api.names()).toEqual(before);
});

test('a promotion of what is being backed out is refused, and why it is stays', async () => {
  await underWay([begun('canary', 'failed'), { kind: 'remove-canary', name: 'remove canary', status: 'pending' }], {
    state: 'backing-out',
    outcome: 'backed-out',
    reason: 'NaN',
  });
  expect(await codeOf(promote(who()))).toBe('NOTHING_TO_DO');
  expect(await codeOf(abort(who()))).toBe('done');
  expect((await last())?.reason).toBe('NaN');
});

test('a first release beside a stray canary takes the canary away, and nothing else', async () => {
  await canary();
  const { image } = released(1, '1');
  expect(await codeOf(deploy({ ...who(), image, deploy: NEW }))).toBe('done');
  expect([runs('iris'), runs('iris-canary')]).toEqual(['1', undefined]);
  expect(api.names()).toContain('services/iris');
});

test('a Deployment that is still said to be late of its last rollout gets the time of its own', async () => {
  await underWay([begun('canary', 'done'), begun('promote', 'failed'), ahead('restore')], {
    state: 'backing-out',
    outcome: 'backed-out',
    reason: 'stable was not ready in time',
  });
  api.stuck.set('iris', 'late');
  const settled = setTimeout(() => {
    api.stuck.clear();
    api.settle('iris');
  }, 1500);
  expect(await codeOf(abort(who()))).toBe('done');
  clearTimeout(settled);
});

test('a canary that somebody deletes while it is waited for, or watched, is no canary that passes', async () => {
  await underWay([begun('canary'), ahead('promote'), ahead('retire')]);
  api.stuck.set('iris-canary', 'waits');
  const gone = setTimeout(() => api.remove('iris-canary'), 500);
  expect(await codeOf(resume(who()))).toBe('RELEASE_FAILED');
  clearTimeout(gone);
  expect([(await last())?.outcome, runs('iris'), runs('iris-canary')]).toEqual(['backed-out', '1', undefined]);
});

test('a Job whose pod is started again after its release has ended ends as the release did', async () => {
  await underWay([begun('canary', 'done')], { state: 'ended', outcome: 'released' });
  expect(await codeOf(resume({ ...who(), release: 2 }))).toBe('done');
  expect(await codeOf(resume(who()))).toBe('NOTHING_TO_DO');
  await api.stop();
  api = new FakeCluster();
  await underWay([begun('canary', 'failed')], { state: 'ended', outcome: 'backed-out' });
  expect(await codeOf(resume({ ...who(), release: 2 }))).toBe('RELEASE_FAILED');
});
