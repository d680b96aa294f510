import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import { CONTEXT, NAMESPACE, serviceOf, withCluster } from '../cluster.ts';
import { createOutput, EXIT } from '../output.ts';
import { releaseView } from '../release-view.ts';

export function addVerdict(program: Command): void {
  program
    .command('verdict')
    .summary('judge the canary that runs')
    .description(
      'Waits until the canary beside stable is ready, watches it for a while and judges it by what the pods measure; changes nothing. Exit 0 when it passes, 1 when it fails, does not get ready, or the numbers do not say. For hooks of GitOps tools and for pipelines.',
    )
    .argument('[service]', "the service's name (default: that of inlay.yaml here)")
    .option('--for <duration>', 'how long it is watched (default: canary.interval of --config, else 2m)')
    .option('--config <file>', 'inlay.yaml, whose deploy.canary has the limits')
    .option('--env <name>', 'an environment of deploy: in it')
    .option('--error-rate <share>', 'how much higher the share of failed requests may be, 0 to 1')
    .option('--p99-ratio <times>', "how many times stable's p99 the canary's may be")
    .option('--label-shift <share>', 'total variation between the label distributions, 0 to 1')
    .option('--memory <share>', 'share of the memory limit that a pod may use, 0 to 1')
    .option('--accept-inconclusive', 'exit 0 too when the numbers do not say')
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .option('--json', 'print one JSON document')
    .action(async (name, options) => {
      const { describeVerdict, judgeNow } = await import('../../cluster/index.ts');
      const { durationMs, readConfig, resolveDeploy } = await import('../../contract/index.ts');
      const output = createOutput(options.json === true);
      if (options.env !== undefined && options.config === undefined)
        throw new InlayError('USAGE', '--env names an environment of a file', {
          hint: 'Name it: --config inlay.yaml.',
        });
      const config = options.config === undefined ? {} : await readConfig(options.config);
      const deploy = resolveDeploy(config, options.env);
      const { limits } = deploy.canary;
      const share = (flag: string, text: string | undefined, otherwise: number, most = Number.MAX_VALUE) => {
        if (text === undefined) return otherwise;
        // As a number is written in a state's Job too: 1e-7.
        const value = /^\d+(\.\d+)?(e[-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
        if (value <= most) return value;
        const upTo = most === Number.MAX_VALUE ? 'up' : `to ${most}`;
        throw new InlayError('USAGE', `${flag} ${text}: expected a number from 0 ${upTo}`);
      };
      if (options.for !== undefined && !/^\d+(\.\d+)?(ms|s|m|h)$/.test(options.for))
        throw new InlayError('USAGE', `--for ${options.for}: expected a duration like 90s or 2m`);
      const { service, namespace } = await serviceOf(name, options.config, options.env);
      await withCluster(
        { ...options, namespace: options.namespace ?? namespace ?? deploy.namespace },
        async (kube, inside) => {
          const { verdict, achieved } = await judgeNow({
            kube,
            namespace: inside,
            service,
            intervalMs: options.for === undefined ? deploy.canary.intervalMs : durationMs(options.for),
            limits: {
              errorRate: share('--error-rate', options.errorRate, limits.errorRate, 1),
              p99Ratio: share('--p99-ratio', options.p99Ratio, limits.p99Ratio),
              labelShift: share('--label-shift', options.labelShift, limits.labelShift, 1),
              memory: share('--memory', options.memory, limits.memory, 1),
            },
            onEvent: await releaseView(output),
          });
          output.result(describeVerdict(verdict), { service, namespace: inside, verdict, achieved });
          const passes =
            verdict.outcome === 'pass' || (verdict.outcome === 'inconclusive' && options.acceptInconclusive);
          if (!passes) process.exitCode = EXIT.no;
        },
      );
    });
}
