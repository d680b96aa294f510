import { expect, test } from 'bun:test';
import { type StepFolder, stepFolders } from '../../../src/cluster/index.ts';
import { FULL, planOf } from '../plans.ts';

const NEW = `sha256:${'c'.repeat(64)}`;
const OWN = `registry.example.com/ml/inlay@sha256:${'d'.repeat(64)}`;

function nextOf(deploy: object) {
  const plan = planOf(deploy, { contract: { version: '0.0.2' } });
  const image = { ...plan.image, digest: NEW, reference: `registry.example.com/ml/iris:0.0.2@${NEW}` };
  return { ...plan, image };
}

function imageOf(folder: StepFolder | undefined, name: string): string | undefined {
  const deployment = folder?.objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
  return (
    deployment as { spec?: { template: { spec: { containers: { image: string }[] } } } } | undefined
  )?.spec?.template.spec.containers[0]?.image.split('@')[1];
}

test('a first release is one state', () => {
  const [only, ...others] = stepFolders({ plan: planOf(), stable: undefined });
  expect([only?.name, others.length]).toEqual(['1-stable', 0]);
});

test('a release is a state a step: the canary beside the old stable, then the new one alone', () => {
  const folders = stepFolders({ plan: nextOf({ canary: { steps: [20, 50] } }), stable: planOf() });
  expect(folders.map(({ name }) => name)).toEqual(['1-canary-20', '2-canary-50', '3-promote']);
  const old = planOf().image.digest;
  expect(folders.map((folder) => [imageOf(folder, 'iris'), imageOf(folder, 'iris-canary')])).toEqual([
    [old, NEW],
    [old, NEW],
    [NEW, undefined],
  ]);
});

test('the weight is the least number of the canary’s autoscaler, or the route’s where there is a Gateway', () => {
  const replicas = { min: 4, max: 10 };
  const [first, second] = stepFolders({
    plan: nextOf({ ...FULL, replicas, canary: { steps: [20, 50] } }),
    stable: planOf({ replicas }),
  });
  const least = (folder: StepFolder | undefined) =>
    folder?.objects.find(({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === 'iris-canary');
  expect([least(first), least(second)]).toMatchObject([{ spec: { minReplicas: 1 } }, { spec: { minReplicas: 4 } }]);
  expect(second?.objects.find(({ kind }) => kind === 'HTTPRoute')).toMatchObject({
    spec: { rules: [{ backendRefs: [{ weight: 50 }, { weight: 50 }] }] },
  });
});

test('with inlay’s own image each canary has a Job that judges it by the limits of deploy.canary', () => {
  const plan = nextOf({
    canary: { steps: [20], interval: '90s', limits: { errorRate: 0.02 }, onInconclusive: 'pass' },
  });
  const [canary, promoted] = stepFolders({ plan, stable: planOf(), cliImage: OWN });
  const jobs = (folder: StepFolder | undefined) => folder?.objects.filter(({ kind }) => kind === 'Job') ?? [];
  expect(jobs(promoted)).toEqual([]);
  const [job] = jobs(canary) as unknown as { spec: { template: { spec: { containers: { args: string[] }[] } } } }[];
  const args = job?.spec.template.spec.containers[0]?.args.join(' ');
  expect(args).toContain('verdict iris --namespace ml --for 90s --error-rate 0.02');
  expect(args).toContain('--accept-inconclusive');
});

test('each canary is judged by a Job of its own: one that has ended is not taken for the next one’s', () => {
  const plan = nextOf({ canary: { steps: [20, 50] } });
  const jobs = stepFolders({ plan, stable: planOf(), cliImage: OWN }).flatMap(({ objects }) =>
    objects.filter(({ kind }) => kind === 'Job'),
  ) as unknown as { spec: { template: object; ttlSecondsAfterFinished?: number } }[];
  expect(new Set(jobs.map(({ spec }) => JSON.stringify(spec.template))).size).toBe(2);
  // Missing, it would be made anew, and judge what nobody asked about.
  expect(jobs.map(({ spec }) => spec.ttlSecondsAfterFinished)).toEqual([undefined, undefined]);
});

test('no folder carries what would keep a GitOps tool from its own objects', () => {
  const folders = stepFolders({ plan: nextOf({}), stable: planOf() });
  expect(JSON.stringify(folders)).not.toContain('kustomize.toolkit.fluxcd.io/reconcile');
});
