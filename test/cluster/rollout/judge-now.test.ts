import { afterEach, beforeEach, expect, test } from 'bun:test';
import { judgeNow } from '../../../src/cluster/index.ts';
import { applyWorkload } from '../../../src/cluster/rollout/apply.ts';
import type { InlayError } from '../../../src/error/index.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { planOf } from '../plans.ts';

let api: FakeCluster;
beforeEach(() => {
  api = new FakeCluster();
});
afterEach(() => api.stop());

test('a canary that does not get ready fails: that its numbers say nothing is no matter of taste', async () => {
  const plan = planOf();
  const size = { initial: 1, min: 1, max: 1 };
  await applyWorkload(api.kube(), plan, 'stable', size, { force: false });
  api.stuck.set('iris-canary', 'late');
  await applyWorkload(api.kube(), plan, 'canary', size, { force: false });
  const { limits } = plan.deploy.canary;
  const judged = await judgeNow({ kube: api.kube(), namespace: 'ml', service: 'iris', limits, intervalMs: 1000 }).then(
    ({ verdict }) => verdict.outcome,
    (error: InlayError) => error.code,
  );
  expect(judged).toBe('RELEASE_FAILED');
}, 30_000);
