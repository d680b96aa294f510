import type { Command } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import type { HistoryEntry } from '../../cluster/index.ts';
import { actor, type ClusterFlags, CONTEXT, NAMESPACE, serviceOf, withCluster } from '../cluster.ts';
import { createOutput, table } from '../output.ts';
import { ago, describeStatus, releaseView } from '../release-view.ts';

const SERVICE = ['[service]', "the service's name (default: that of inlay.yaml here)"] as const;
const JSON_OPTION = ['--json', 'print one JSON document'] as const;

interface Flags extends ClusterFlags {
  readonly env?: string | undefined;
}

/** The API, and the service that is meant. */
async function onService<T>(
  name: string | undefined,
  flags: Flags,
  work: (who: { kube: import('../../cluster/index.ts').Kube; namespace: string; service: string }) => Promise<T>,
): Promise<T> {
  const { service, namespace } = await serviceOf(name, undefined, flags.env);
  return withCluster({ ...flags, namespace: flags.namespace ?? namespace }, (kube, inside) =>
    work({ kube, namespace: inside, service }),
  );
}

export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('what runs of a service, and where its release stands')
    .description('Shows stable and canary, the steps of the release, its verdict, and what keeps pods from serving.')
    .argument(...SERVICE)
    .option(
      '--watch',
      'show it anew whenever it changes: until the release has ended, or you stop it where none is under way',
    )
    .option('--env <name>', 'an environment of deploy: in inlay.yaml')
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .option(...JSON_OPTION)
    .action(async (name, options) => {
      const { statusOf } = await import('../../cluster/index.ts');
      const output = createOutput(options.json === true);
      await onService(name, options, async (who) => {
        let told = '';
        let began: string | undefined;
        for (;;) {
          const status = await statusOf(who);
          began ??= status.phase;
          // Not its text, in which ages grow by themselves.
          const now = JSON.stringify(status);
          if (now !== told) output.result(await describeStatus(status), status);
          told = now;
          const ended = began !== 'idle' && (status.phase === 'idle' || status.phase === 'paused');
          if (!options.watch || ended) return;
          await Bun.sleep(1000);
        }
      });
    });
}

export function addHistory(program: Command): void {
  program
    .command('history')
    .summary('the releases of a service')
    .description('Lists what was released, by whom, from when to when, and how it ended; newest first.')
    .argument(...SERVICE)
    .option('--env <name>', 'an environment of deploy: in inlay.yaml')
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .option(...JSON_OPTION)
    .action(async (name, options) => {
      const { historyOf } = await import('../../cluster/index.ts');
      await onService(name, options, async (who) => {
        const releases = await historyOf(who);
        createOutput(options.json === true).result(describeHistory(releases), { service: who.service, releases });
      });
    });
}

function describeHistory(releases: readonly HistoryEntry[]): string {
  const rows = releases.map(({ version, kind, actor: by, from, to, outcome, reason }) => [
    version,
    kind,
    outcome,
    ago(from),
    to === undefined ? '' : ago(to),
    by,
    // The first line says what; inlay status has the others.
    reason?.split('\n')[0] ?? '',
  ]);
  return table([['version', 'kind', 'outcome', 'from', 'to', 'by', 'reason'], ...rows]);
}

const DECISIONS = {
  promote: [
    'end the canary in favour of the new version',
    'Leaves out what is left of the canary’s steps: stable takes the new version.',
  ],
  abort: ['back a release out', 'Stable is as it was before the release, the canary goes.'],
  rollback: [
    'go back to the version before',
    'Stable takes the version that ran before, by its digest, pod by pod. A release under way is backed out instead.',
  ],
} as const;

/** promote, abort and rollback: what somebody decides about a release. */
export function addDecisions(program: Command): void {
  for (const name of ['promote', 'abort', 'rollback'] as const) {
    const [summary, description] = DECISIONS[name];
    program
      .command(name)
      .summary(summary)
      .description(description)
      .argument(...SERVICE)
      .option('--reason <text>', 'why, for the history')
      .option('--env <name>', 'an environment of deploy: in inlay.yaml')
      .addOption(new Option('--force-conflicts', 'take over fields that other tools manage'))
      .option(...CONTEXT)
      .option(...NAMESPACE)
      .option(...JSON_OPTION)
      .action(async (service, options) => {
        const room = await import('../../cluster/index.ts');
        const output = createOutput(options.json === true);
        await onService(service, options, async (who) => {
          await room[name]({
            ...who,
            ...actor(),
            reason: options.reason,
            forceConflicts: options.forceConflicts === true,
            onEvent: await releaseView(output),
          });
          const status = await room.statusOf(who);
          output.result(await describeStatus(status), status);
        });
      });
  }
}
