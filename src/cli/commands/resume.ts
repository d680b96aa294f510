import type { Command } from '@commander-js/extra-typings';
import { actor, CONTEXT, NAMESPACE, serviceOf, withCluster } from '../cluster.ts';
import { createOutput } from '../output.ts';
import { describeStatus, releaseView } from '../release-view.ts';

export function addResume(program: Command): void {
  program
    .command('resume')
    .summary('go on with a release that has not ended')
    .description(
      'Goes on with a release whose program has died or was stopped, from what its journal in the cluster says alone. deploy --detach runs it as a Job.',
    )
    .argument('[service]', "the service's name (default: that of inlay.yaml here)")
    .option('--env <name>', 'an environment of deploy: in inlay.yaml')
    .option('--force-conflicts', 'take over fields that other tools manage')
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .option('--json', 'print one JSON document')
    .action(async (name, options) => {
      const { resume, statusOf } = await import('../../cluster/index.ts');
      const output = createOutput(options.json === true);
      const { service, namespace } = await serviceOf(name, undefined, options.env);
      await withCluster({ ...options, namespace: options.namespace ?? namespace }, async (kube, inside) => {
        const who = { kube, namespace: inside, service };
        await resume({
          ...who,
          ...actor(),
          // Of a Job of deploy --detach: the release that it was made for.
          release: Number(process.env.INLAY_RELEASE) || undefined,
          forceConflicts: options.forceConflicts === true,
          onEvent: await releaseView(output),
        });
        const status = await statusOf(who);
        output.result(await describeStatus(status), status);
      });
    });
}
