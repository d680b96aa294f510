import { afterEach, beforeEach, expect, test } from 'bun:test';
import { preflight } from '../../../src/cluster/index.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { planOf } from '../plans.ts';
import { journalOf, released } from '../releases.ts';

let api: FakeCluster;
beforeEach(() => {
  api = new FakeCluster();
});
afterEach(() => api.stop());

test.each(['deployments/iris', 'horizontalpodautoscalers/iris'])(
  'fields of %s that another tool manages are told before the canary, not at its promotion',
  async (object) => {
    api.fault = (method, path) => (method === 'PATCH' && path.endsWith(`/${object}`) ? 409 : undefined);
    const { findings, kind } = await preflight({
      ...{
        kube: api.kube(),
        plan: { ...planOf(), image: released(2, '2').image },
        journal: journalOf(released(1, '1')),
      },
      breaking: () => [],
    });
    expect([kind, findings.filter(({ severity }) => severity === 'error').map(({ check }) => check)]).toEqual([
      'canary',
      ['cluster'],
    ]);
  },
);
