import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import type { Examined, Work } from '../../doctor/index.ts';
import { InlayError } from '../../error/index.ts';
import type { ImageReference } from '../../registry/index.ts';
import { CONTEXT } from '../cluster.ts';
import { inlayHome } from '../home.ts';
import { createOutput, EXIT, table } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('what this machine lacks')
    .description(
      'Looks at all that inlay needs of this machine: base, npm, containers, registries and their logins, cluster, disk. Changes nothing. Exits 0, as a report does, unless --exit-code.',
    )
    .argument('[dir]', "a project's folder, whose registries are asked too", '.')
    .option('--for <list>', 'only what this needs, separated by commas: build, push, sign, run, deploy')
    .option('--exit-code', 'exit 1 when something is missing')
    .option(...CONTEXT)
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (dir, options) => {
      const { examine } = await import('../../doctor/index.ts');
      const work = options.for === undefined ? [] : await workOf(options.for);
      const repositories = await repositoriesOf(dir);
      const checks = await withRegistry(
        options,
        (registry, signal) =>
          examine({
            registry,
            home: inlayHome(process.env),
            env: process.env,
            uid: process.getuid?.(),
            kubeconfig: process.env.KUBECONFIG || undefined,
            context: options.context,
            repositories,
            work,
            signal,
          }),
        { retry: { tries: 1 }, idleTimeoutMs: 10_000 },
      );
      const ok = checks.every(({ state }) => state !== 'missing');
      createOutput(options.json === true).result(describe(checks), { ok, checks });
      if (!ok && options.exitCode) process.exitCode = EXIT.no;
    });
}

/** @throws USAGE */
async function workOf(list: string): Promise<Work[]> {
  const { WORK } = await import('../../doctor/index.ts');
  return list.split(',').map((text) => {
    const known = WORK.find((work) => work === text.trim());
    if (known) return known;
    throw new InlayError('USAGE', `--for ${text}: inlay does no such work`, {
      hint: `Choose from ${WORK.join(', ')}.`,
    });
  });
}

/** The repositories that inlay.yaml names; none where there is no project, or one that inlay check would refuse. */
async function repositoriesOf(dir: string): Promise<ImageReference[]> {
  const { CONFIG_FILE, readConfig } = await import('../../contract/index.ts');
  const { registryReference } = await import('../../registry/index.ts');
  if (!existsSync(join(dir, CONFIG_FILE))) return [];
  const { image, base, serverImage } = await readConfig(dir);
  return [base, serverImage, image].flatMap((name) => (name && registryReference(name)) || []);
}

function describe(checks: readonly Examined[]): string {
  const rows = checks.map(({ name, detail, state }) => [name, state, detail]);
  const hints = checks.flatMap(({ name, hint, state }) => (hint && state !== 'ok' ? [`${name}: ${hint}`] : []));
  const missing = checks.filter(({ state }) => state === 'missing').flatMap(({ neededFor }) => neededFor);
  const end =
    missing.length === 0
      ? 'Nothing that inlay needs is missing.'
      : `Something is missing to ${[...new Set(missing)].join(', ')}.`;
  return [table(rows), ...hints.map((hint) => `  ${hint}`), end].join('\n');
}
