import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { CONFIG_FILE } from '../../contract/index.ts';
import { InlayError, isInlayError } from '../../error/index.ts';
import type { Declaration, Plan, Policy, SweepResult, Target } from '../../prune/index.ts';
import { actor } from '../cluster.ts';
import { openKubes } from '../clusters.ts';
import { inlayHome } from '../home.ts';
import { createOutput, EXIT, type Output } from '../output.ts';
import { planLocal } from '../prune-local.ts';
import { pruneManifests } from '../prune-manifests.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';

const collect = (value: string, before: string[]): string[] => [...before, value];
const NONE: string[] = [];

export function addPrune(program: Command): void {
  program
    .command('prune')
    .summary('deletes what nothing needs, in registries and the local store')
    .description(
      'Prints which images stay, and why, and which go; --yes deletes them. Nothing is deleted before every cluster that may run an image has been read: inlay.yaml, or a file for --config, declares them (docs/prune.md). Nothing undoes it.',
    )
    .argument('[repositories...]', 'REGISTRY/REPOSITORY (default: those of the files)')
    .option(
      '--config <file>',
      'an inlay.yaml, or a file of several repositories; repeatable (default: that of this folder)',
      collect,
      NONE,
    )
    .option('--keep-last <n>', 'how many of the newest versions stay (default: 3)')
    .option('--grace <duration>', 'what has been there for less than that stays (default: 30d)')
    .option('--keep-tags <pattern>', 'images with such a tag stay: prod-*; repeatable', collect, NONE)
    .option('--lock <file>', 'an inlay.lock whose images stay; repeatable', collect, NONE)
    .option(
      '--context <name>',
      "a context of the kubeconfig; repeatable (default: the kubeconfig's own)",
      collect,
      NONE,
    )
    .option('--all-contexts', 'every context of the kubeconfig')
    .option('--local', 'the local store alone')
    .option('--no-local', 'registries alone')
    .option('--yes', 'delete what the plan says')
    .option('--rate <n>', 'deletions a second', '10')
    .option('--list', 'every image, however many there are')
    .option('--manifests', 'print a CronJob that prunes; with --yes one that deletes, else one whose log has the plan')
    .option('--image <reference>', 'with --manifests: an image whose entry point is inlay')
    .option('-n, --namespace <name>', 'with --manifests: where it runs', 'inlay')
    .option('--schedule <cron>', 'with --manifests: when, in UTC', '0 3 * * *')
    .option('--registry-secret <name>', 'with --manifests: the Secret (dockerconfigjson) with a login that may delete')
    .option('--kubeconfig-secret <name>', 'with --manifests: the Secret whose key config leads to further clusters')
    .option('--pull-secret <name>', 'with --manifests: for the image itself; repeatable', collect, NONE)
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (repositories, options) => {
      const output = createOutput(options.json === true);
      const { targets, locks } = await declared(repositories, options);
      if (options.manifests) return output.result(...(await pruneManifests({ targets, locks }, options)));
      await prune(targets, locks, options, output);
    });
}

interface Flags {
  readonly config: readonly string[];
  readonly keepLast?: string | undefined;
  readonly grace?: string | undefined;
  readonly keepTags: readonly string[];
  readonly lock: readonly string[];
  readonly context: readonly string[];
  readonly allContexts?: true | undefined;
  readonly local?: boolean | undefined;
  readonly yes?: true | undefined;
  readonly rate: string;
  readonly list?: true | undefined;
  readonly insecureRegistry: string[];
  readonly caFile?: string | undefined;
}

/** What the files and the flags say. */
async function declared(repositories: readonly string[], flags: Flags): Promise<Declaration> {
  const { joined, readDeclaration, repositoryName, undeclared } = await import('../../prune/index.ts');
  if (flags.local === true && repositories.length > 0)
    throw new InlayError('USAGE', '--local takes no repositories', { hint: 'Leave one of them out.' });
  const files = flags.config.length > 0 || !existsSync(CONFIG_FILE) ? flags.config : [CONFIG_FILE];
  const found = joined(await Promise.all(files.map(readDeclaration)));
  const byName = new Map(found.targets.map((target) => [target.repository, target]));
  const wanted = [...new Set(repositories.map(repositoryName))];
  const targets = wanted.length === 0 ? found.targets : wanted.map((name) => byName.get(name) ?? undeclared(name));
  return {
    targets: targets.map((target) => ({ ...target, policy: policyOf(target.policy, flags) })),
    locks: [...found.locks, ...flags.lock.map(present)],
  };
}

/** A file that was named has to be there: what it pins would be lost. */
function present(path: string): string {
  if (existsSync(path)) return path;
  throw new InlayError('FILE_NOT_FOUND', `--lock ${path}: there is no such file`, { hint: 'Name an inlay.lock.' });
}

function policyOf(policy: Policy, { keepLast, grace, keepTags }: Flags): Policy {
  return {
    keepLast: keepLast === undefined ? policy.keepLast : numberOf('--keep-last', keepLast, 1),
    graceMs: grace === undefined ? policy.graceMs : graceOf(grace),
    keepTags: [...policy.keepTags, ...keepTags],
  };
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function graceOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (UNITS[unit] as number);
  throw new InlayError('USAGE', `--grace ${text} is no duration`, { hint: 'Write 30d, 12h, or 0s for none.' });
}

function numberOf(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= least && (least < 1 || Number.isInteger(number))) return number;
  throw new InlayError('USAGE', `${flag} ${text}: expected a number of at least ${least}`, { hint: 'For example 5.' });
}

async function prune(
  targets: readonly Target[],
  locks: readonly string[],
  flags: Flags,
  output: Output,
): Promise<void> {
  const { describePlan, describeSweep } = await import('../prune-view.ts');
  const { lockUses, refuseGaps } = await import('../../prune/index.ts');
  const home = inlayHome(process.env);
  const locked = await lockUses(locks);
  const rate = numberOf('--rate', flags.rate, 0.001);
  const wanted = flags.local === true ? [] : targets;
  const acts = flags.yes === true;
  if (targets.length === 0 && flags.local !== true)
    output.progress('No inlay.yaml here and no --config names a repository.');
  const planned = await registryPlan(wanted, locked, { ...flags, home, rate, output, acts }, async (plan, sweepNow) => {
    const local = flags.local === false ? undefined : await localPlan(home, targets, locked, flags);
    const store = local?.document;
    const document = { ...(plan?.document ?? EMPTY), ...(store ? { local: store } : {}) };
    if (!acts) {
      output.result(describePlan(plan?.document, store, { list: flags.list === true, acts }), document);
      return undefined;
    }
    const told = describePlan(plan?.document, store, { list: flags.list === true, acts });
    if (told !== '') output.progress(told);
    refuseGaps(document.gaps);
    const swept = await sweepNow();
    const freedBytes = await local?.sweep();
    output.result(describeSweep(swept, freedBytes), {
      ...document,
      ...(swept ? { swept } : {}),
      ...(freedBytes === undefined ? {} : { localFreedBytes: freedBytes }),
    });
    return swept;
  });
  if (planned && planned.failures.length > 0) process.exitCode = EXIT.outside;
}

const EMPTY = { schemaVersion: 1, keep: [], drop: [], freeBytes: 0, gaps: [] } as const;

interface Work extends Flags {
  readonly home: string;
  readonly output: Output;
  readonly acts: boolean;
}

/** The plan of the registries with a way to do it, while the way to them is open; neither where there are none. */
async function registryPlan(
  targets: readonly Target[],
  locked: Awaited<ReturnType<typeof import('../../prune/index.ts').lockUses>>,
  work: Omit<Work, 'rate'> & { readonly rate: number },
  then: (plan: Plan | undefined, sweepNow: () => Promise<SweepResult | undefined>) => Promise<SweepResult | undefined>,
): Promise<SweepResult | undefined> {
  if (targets.length === 0) return then(undefined, async () => undefined);
  const { Clusters, planPrune, sweep } = await import('../../prune/index.ts');
  const dir = join(work.home, 'prune');
  return withRegistry(work, async (registry, signal) => {
    const declaredUids = new Set(targets.flatMap(({ clusters }) => clusters ?? []));
    const nowhere = declaredUids.size === 0 && targets.every(({ clusters }) => clusters !== undefined);
    const named = work.context.length > 0 || work.allContexts === true;
    const contexts = nowhere && !named ? [] : await ownKubes(work, named, signal);
    const keepLast = Math.max(...targets.map(({ policy }) => policy.keepLast));
    const others = () => openKubes({ context: [], allContexts: true }, signal).catch(() => []);
    const clusters = await Clusters.open({ contexts, named, others, declared: declaredUids, keepLast });
    const readAt = performance.now();
    const onProgress = (text: string) => work.output.progress(text);
    const plan = await planPrune({ registry, targets, clusters, locked, dir, now: Date.now(), signal, onProgress });
    return then(plan, () =>
      sweep({
        plan,
        readAt,
        registry,
        clusters,
        locked,
        dir,
        actor: actor().actor,
        rate: work.rate,
        signal,
        onDone: ({ repository, digest, tags, outcome, why }) =>
          work.output.progress(
            `${outcome}  ${repository}${tags[0] ? `:${tags[0]}` : ''}@${digest.slice(0, 19)}${why ? `  ${why}` : ''}`,
          ),
      }),
    );
  });
}

/** A machine without a kubeconfig can still look at a plan: what it cannot know stands in it. */
async function ownKubes(flags: Pick<Flags, 'context' | 'allContexts'>, named: boolean, signal: AbortSignal) {
  try {
    return await openKubes(flags, signal);
  } catch (error) {
    if (named || !isInlayError(error) || error.code !== 'KUBECONFIG_INVALID') throw error;
    return [];
  }
}

async function localPlan(
  home: string,
  targets: readonly Target[],
  locked: Awaited<ReturnType<typeof import('../../prune/index.ts').lockUses>>,
  flags: Flags,
) {
  const { DEFAULT_POLICY } = await import('../../prune/index.ts');
  const fallback = policyOf(DEFAULT_POLICY, flags);
  const policies = new Map(targets.map(({ repository, policy }) => [repository, policy]));
  return planLocal(home, {
    now: Date.now(),
    uses: locked,
    policyOf: (name) => policies.get(name) ?? fallback,
    graceMs: fallback.graceMs,
  });
}
