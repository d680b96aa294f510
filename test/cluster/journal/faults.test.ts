// The journal and the Lease before an API server that fails.
import { afterEach, beforeEach, expect, setSystemTime, test } from 'bun:test';
import { HeldLease, holderOf, JournalStore } from '../../../src/cluster/journal/index.ts';
import { Kube } from '../../../src/cluster/kube/index.ts';
import { isInlayError } from '../../../src/error/index.ts';
import { FakeApi } from '../fake-api.ts';
import { journalOf, released, releaseOf } from '../releases.ts';

let api: FakeApi;
beforeEach(() => {
  api = new FakeApi();
});
afterEach(() => api.stop());

const store = () => new JournalStore(api.kube(), 'ml', 'iris');
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (isInlayError(error) ? error.code : error),
  );
const once = (code: number | 'cut', method: string) => {
  let left = 1;
  api.fault = (asked) => (asked === method && left-- > 0 ? code : undefined);
};

test('it is read as it was written, however large', async () => {
  const names = Array.from({ length: 40_000 }, (_, i) => `label number ${i}`);
  const release = released(1, '1');
  const contract = { ...release.image.contract, labels: { file: 'l.json', keys: names.map((_, i) => `${i}`), names } };
  for (const journal of [journalOf(release), journalOf({ ...release, image: { ...release.image, contract } })]) {
    const writer = store();
    await writer.open();
    await writer.write(journal);
    const [stored] = api.objects.values();
    expect(JSON.stringify(stored).length).toBeLessThan(2 ** 20);
    expect((await store().read())?.journal).toEqual(journal);
  }
});

test.each([503, 429, 500])('a server that answers %i once is asked again', async (code) => {
  const writer = store();
  await writer.open();
  once(code, 'POST');
  await writer.write(journalOf(released(1, '1')));
  expect((await store().read())?.journal.releases).toHaveLength(1);
});

test('an answer that was cut off is not a second write', async () => {
  const writer = store();
  await writer.open();
  await writer.write(journalOf(released(1, '1')));
  once('cut', 'PUT');
  const journal = journalOf(released(1, '1'), releaseOf(2, '2'));
  await writer.write(journal);
  expect((await store().read())?.journal).toEqual(journal);
});

test('a request of somebody else between reading and writing is kept', async () => {
  const writer = store();
  await writer.open();
  await writer.write(journalOf(releaseOf(1, '1', { state: 'running' })));
  await store().request({ kind: 'abort', by: 'eve', release: 1 });
  once(409, 'PUT');
  await writer.write(journalOf(releaseOf(1, '1', { state: 'backing-out' })));
  const found = await store().read();
  expect([found?.journal.releases[0]?.state, found?.request?.by]).toEqual(['backing-out', 'eve']);
});

test('what somebody else wrote is not written over', async () => {
  const [one, other] = [store(), store()];
  await one.open();
  await one.write(journalOf(released(1, '1')));
  await other.open();
  await other.write(journalOf(released(1, '1'), releaseOf(2, '2')));
  expect(await codeOf(one.write(journalOf(released(1, '1'), releaseOf(2, '3'))))).toBe('RELEASE_BUSY');
});

test('who looks for wishes has not read what somebody else wrote meanwhile', async () => {
  const [one, other] = [store(), store()];
  await one.open();
  await one.write(journalOf(releaseOf(1, '1', { state: 'running' })));
  await other.open();
  await other.write(journalOf(releaseOf(1, '1', { state: 'ended' })));
  await other.request({ kind: 'abort', by: 'eve', release: 1 });
  expect((await one.wish())?.by).toBe('eve');
  expect(await codeOf(one.write(journalOf(releaseOf(1, '1', { state: 'paused' }))))).toBe('RELEASE_BUSY');
});

test('a journal that somebody edited is told, and a request that makes no sense is none', async () => {
  const writer = store();
  await writer.open();
  await writer.write(journalOf(released(1, '1')));
  const [key, stored] = [...api.objects][0] ?? [];
  if (key === undefined || stored === undefined) throw new Error('nothing was stored');
  stored.metadata.annotations = { 'inlay/request': 'please' };
  expect((await store().read())?.request).toBeUndefined();
  api.objects.set(key, { ...stored, data: { 'journal.json': '{"schemaVersion": 9}' } } as never);
  expect(await codeOf(store().read())).toBe('JOURNAL_INVALID');
});

test('a server that stays away is told as such', async () => {
  api.fault = () => 503;
  expect(await codeOf(new JournalStore(api.kube(300), 'ml', 'iris').read())).toBe('CLUSTER_FAILED');
});

test('a Lease is held by one, told to others, and free when it is given back', async () => {
  const lease = await HeldLease.take(api.kube(), 'ml', 'iris', 'ada');
  expect((await holderOf(api.kube(), 'ml', 'iris'))?.name).toBe('ada');
  await lease.release();
  expect(await holderOf(api.kube(), 'ml', 'iris')).toBeUndefined();
  const next = await HeldLease.take(api.kube(), 'ml', 'iris', 'eve');
  await next.release();
});

test('after Ctrl-C it is given back all the same', async () => {
  const stop = new AbortController();
  const kube = new Kube(api.kube().connection, { signal: stop.signal });
  const lease = await HeldLease.take(kube, 'ml', 'iris', 'ada');
  stop.abort();
  await lease.release();
  expect(await holderOf(api.kube(), 'ml', 'iris')).toBeUndefined();
});

test('a renewal that was on its way when its holder died does not keep others out', async () => {
  const written = (resourceVersion: string) =>
    api.objects.set('/apis/coordination.k8s.io/v1/namespaces/ml/leases/inlay-iris', {
      metadata: { name: 'inlay-iris', resourceVersion },
      spec: { holderIdentity: 'ada', renewTime: new Date().toISOString() },
    } as never);
  written('1');
  setTimeout(() => written('2'), 1500);
  const next = await HeldLease.take(api.kube(), 'ml', 'iris', 'eve');
  expect((await holderOf(api.kube(), 'ml', 'iris'))?.name).toBe('eve');
  await next.release();
}, 60_000);

test('a clock that is minutes off neither hides who works nor takes the Lease from them', async () => {
  const lease = await HeldLease.take(api.kube(), 'ml', 'iris', 'ada');
  try {
    setSystemTime(Date.now() + 300_000);
    expect((await holderOf(api.kube(), 'ml', 'iris'))?.name).toBe('ada');
    expect(await codeOf(HeldLease.take(api.kube(), 'ml', 'iris', 'eve'))).toBe('RELEASE_BUSY');
  } finally {
    setSystemTime();
    await lease.release();
  }
}, 60_000);

test('a machine that has slept asks for its Lease before it does anything', async () => {
  const lease = await HeldLease.take(api.kube(), 'ml', 'iris', 'ada');
  try {
    for (const [key, stored] of api.objects)
      api.objects.set(key, { ...stored, spec: { holderIdentity: 'eve' } } as never);
    setSystemTime(Date.now() + 60_000);
    expect(await codeOf(lease.check())).toBe('RELEASE_BUSY');
  } finally {
    setSystemTime();
    await lease.release();
  }
});

test('two that take it at once: one of them has it', async () => {
  const taken = await Promise.allSettled(['ada', 'eve'].map((name) => HeldLease.take(api.kube(), 'ml', 'iris', name)));
  const held = taken.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(held).toHaveLength(1);
  expect(taken.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))).toEqual([
    'RELEASE_BUSY',
  ]);
  await held[0]?.release();
}, 40_000);

test('whoever lost it stops', async () => {
  const lease = await HeldLease.take(api.kube(), 'ml', 'iris', 'ada');
  for (const [key, stored] of api.objects)
    api.objects.set(key, { ...stored, spec: { holderIdentity: 'eve', renewTime: new Date().toISOString() } } as never);
  await new Promise((resolve) => lease.signal.addEventListener('abort', resolve));
  expect(await codeOf(lease.check())).toBe('RELEASE_BUSY');
  await lease.release();
  expect((await holderOf(api.kube(), 'ml', 'iris'))?.name).toBe('eve');
}, 20_000);
