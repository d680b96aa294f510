import { afterEach, beforeEach, expect, test } from 'bun:test';
import { forwardPort } from '../../../src/cluster/kube/index.ts';
import { FakeApi } from '../fake-api.ts';

let api: FakeApi;
beforeEach(() => {
  api = new FakeApi();
});
afterEach(() => api.stop());

test('a pod that is gone, or a login that may not, ends the connection and not the program', async () => {
  const forward = await forwardPort(api.kube(), { namespace: 'ml', pod: 'gone', port: 8000 });
  const answer = await fetch(forward.url, { headers: { connection: 'close' } }).then(
    () => 'answered',
    () => 'ended',
  );
  // An error that nobody hears is told a turn later, and fails the test.
  await Bun.sleep(50);
  await forward.close();
  expect(answer).toBe('ended');
});
