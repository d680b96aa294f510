// Ten nights of releases by a Job in the cluster, good models and bad ones in turn, as a CronJob that retrains makes them.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { NAN_ROW } from '../release/models.ts';
import { type Load, MIX, until, World } from '../release/world.ts';

const NIGHTS = 10;
const SERVER = '{cpu: 200m, memory: 300Mi}';

let world: World;
let config: string;
beforeAll(async () => {
  world = new World('nights');
  await world.makeNamespace();
  config = world.config(
    'replicas: {initial: 2, min: 2, max: 4}, canary: {steps: [50], interval: 15s, bake: 0s, onInconclusive: fail, limits: {p99Ratio: 50}}',
  );
  await world.cluster.kubectl(
    ['apply', '--server-side', '-f', '-'],
    await world.must(['manifests', '--roles', 'releaser', '-n', world.namespace]),
  );
  await world.must(
    world.deployArgs(await world.image({ version: '1.0.0', server: SERVER }), '--config', config, '--direct'),
  );
}, 300_000);
afterAll(() => world.close(), 240_000);

test(`${NIGHTS} nights: each good model becomes stable, each bad one does not, and nothing is left over`, async () => {
  const before = await world.objects();
  let stable = '1.0.0';
  for (let night = 1; night <= NIGHTS; night++) {
    const bad = night % 2 === 0;
    const version = `1.${night}.0`;
    const image = await world.image({ version, kind: bad ? 'nan' : 'good', server: SERVER });
    const load: Load = await world.load({ rows: bad ? [...MIX, NAN_ROW] : MIX });
    await world.must(world.deployArgs(image, '--config', config, '--detach'));
    const ended = await until(
      `${version} has ended`,
      async () => {
        const release = await world.release();
        return release?.state === 'ended' && release.image.contract.version === version && release;
      },
      240,
    );
    const seen = await load.stop();
    if (!bad) stable = version;
    const status = await world.status();
    process.stderr.write(
      `night ${night}, ${bad ? 'bad' : 'good'}: ${ended.outcome}, stable ${status.stable?.version}, ${seen.requests} requests, ${seen.failed} failed\n`,
    );
    expect([ended.outcome, status.stable?.version, status.phase]).toEqual([
      bad ? 'backed-out' : 'released',
      stable,
      'idle',
    ]);
    // A model that answers NaN fails the requests that it gets; a good one none.
    if (!bad) expect([seen.failed, seen.failures]).toEqual([0, []]);
    await until(
      'the pods of the canary to be gone',
      async () =>
        (await world.kubectl('get', 'pods', '-l', 'app.kubernetes.io/name=iris', '-o', 'name')).trim().split('\n')
          .length === 2,
      60,
    );
  }
  expect(await world.objects()).toEqual(before);
  // Of the Jobs just the last one, which goes by itself ten minutes after its end.
  const { items } = await world.get<{ items: { spec: { ttlSecondsAfterFinished?: number } }[] }>('jobs');
  expect(items.map(({ spec }) => spec.ttlSecondsAfterFinished)).toEqual([600]);
}, 2_400_000);
