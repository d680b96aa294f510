import { dirname, join, resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import type { Journal, Preflight, ReleaseImage } from '../../cluster/index.ts';
import type { EnvironmentConfig } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import type { Registry } from '../../registry/index.ts';
import { platformsOf } from '../build-project.ts';
import { buildOwnImage, pushOwnImage } from '../cli-image.ts';
import { actor, CONTEXT, NAMESPACE, withCluster } from '../cluster.ts';
import { createOutput, EXIT, type Output } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';
import { releaseImage } from '../release-image.ts';
import { describeStatus, releaseView } from '../release-view.ts';

export function addDeploy(program: Command): void {
  program
    .command('deploy')
    .summary('release an image on Kubernetes')
    .description(
      'Releases a pushed image: at once where the service is new, otherwise as a canary beside what runs, judged by what its pods measure and promoted or backed out. Run it again to go on with a release that was interrupted.',
    )
    .argument('<image>', 'REGISTRY/REPOSITORY:TAG, or with @DIGEST')
    .option('--config <file>', 'inlay.yaml, whose deploy: says how it runs (default: what the last release had)')
    .option('--env <name>', 'an environment of deploy: in inlay.yaml')
    .option('--direct', 'no canary: stable takes the image at once, pod by pod')
    .option('--dry-run', 'preflight only: what would change, and what stands against it; exit 1 where something does')
    .option('--detach', 'let a Job in the cluster do it, with inlay’s own image; inlay status --watch follows it')
    .option(
      '--cli-image <image>',
      'with --detach and --write: inlay’s own image by digest (default: built and pushed beside the model’s)',
    )
    .option('--write <folder>', 'write each step’s objects for a GitOps tool instead of applying anything')
    .option('--allow-breaking', 'release a contract that breaks clients of what runs')
    .option('--force-conflicts', 'take over fields that other tools manage')
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (image, options) => {
      const { deploy, statusOf } = await import('../../cluster/index.ts');
      const { readConfig, environmentConfig, withDefaults } = await import('../../contract/index.ts');
      const output = createOutput(options.json === true);
      if (options.env !== undefined && options.config === undefined)
        throw new InlayError('USAGE', '--env names an environment of a file', {
          hint: 'Name it: --config inlay.yaml.',
        });
      const config = options.config === undefined ? undefined : await readConfig(options.config);
      const own = config === undefined ? undefined : environmentConfig(config, options.env);
      await withRegistry(options, async (registry, signal) => {
        const released = await releaseImage(registry, image, signal);
        const service = released.contract.name;
        if (config !== undefined && config.name !== service)
          throw new InlayError('USAGE', `${options.config} is about ${config.name}, and the image is ${service}`, {
            hint: 'Name the inlay.yaml of this model.',
          });
        await withCluster(options, async (kube, context) => {
          const namespace =
            options.namespace ?? (own === undefined ? undefined : withDefaults(own, options.env).namespace) ?? context;
          const who = { kube, namespace, service, ...actor() };
          const look = (journal: Journal) =>
            lookFirst({ kube, namespace, image: released, own, journal, registry, signal, output, options });
          if (options.dryRun) return dryRun(await look(await journalOf(who)), output);
          if (options.write !== undefined) {
            const cliImage = options.cliImage;
            return writeSteps(
              { who, image: released, own, environment: options.env, folder: options.write, cliImage },
              output,
            );
          }
          const ownImage = options.detach
            ? (options.cliImage ?? (await ownImageBeside(registry, released, options.config, output, signal)))
            : undefined;
          const { unchanged } = await deploy({
            ...who,
            image: released,
            deploy: own,
            environment: options.env,
            direct: options.direct === true,
            forceConflicts: options.forceConflicts === true,
            onEvent: await releaseView(output),
            resolve: (reference) => releaseImage(registry, reference, signal),
            ...(ownImage === undefined ? {} : { detach: detachTo(who, ownImage, output) }),
            preflight: async (journal) => refuse(await look(journal), output),
          });
          const status = await statusOf(who);
          if (unchanged) output.progress(`${service} ${released.contract.version} is stable already: nothing to do`);
          output.result(await describeStatus(status), status);
        });
      });
    });
}

type Who = Parameters<typeof import('../../cluster/index.ts').statusOf>[0];

/** inlay's own image, pushed beside the model's repository: `ml/iris` has it at `ml/inlay`. */
async function ownImageBeside(
  registry: Registry,
  { reference, platforms }: ReleaseImage,
  config: string | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<string> {
  const { parseReference } = await import('../../registry/index.ts');
  const { registry: host, repository } = parseReference(reference);
  const beside = [...repository.split('/').slice(0, -1), 'inlay'].join('/');
  const flags = {
    platforms: await platformsOf(platforms.length > 0 ? platforms.join(',') : undefined),
    compression: 'zstd' as const,
    lockPath: config === undefined ? undefined : join(dirname(config), 'inlay.lock'),
  };
  const image = await buildOwnImage(`${host}/${beside}`, flags, output);
  return (await pushOwnImage(registry, image, output, signal)).reference;
}

function detachTo(who: Who & { readonly actor: string }, image: string, output: Output) {
  return async (release: import('../../cluster/index.ts').Release): Promise<void> => {
    const { startReleaseJob } = await import('../../cluster/index.ts');
    const { withDefaults } = await import('../../contract/index.ts');
    const { kube, namespace, service, actor } = who;
    const { imagePullSecrets } = withDefaults(release.deploy, release.environment);
    const job = { service, namespace, release: release.number, image, imagePullSecrets, actor };
    const name = await startReleaseJob(kube, job);
    output.progress(`Job ${namespace}/${name} goes on with it: inlay status ${service} -n ${namespace} --watch`);
  };
}

/** Writes the states of a release as folders, one after the other to be put where a GitOps tool looks. */
async function writeSteps(
  what: {
    readonly who: Who;
    readonly image: ReleaseImage;
    readonly own: EnvironmentConfig | undefined;
    readonly environment: string | undefined;
    readonly folder: string;
    readonly cliImage: string | undefined;
  },
  output: Output,
): Promise<void> {
  const { manifestFiles, stableRelease, stepFolders, writeManifests } = await import('../../cluster/index.ts');
  const { withDefaults } = await import('../../contract/index.ts');
  const { who, image, own, environment, folder, cliImage } = what;
  const { service, namespace } = who;
  const now = stableRelease(await journalOf(who));
  const deploy = withDefaults(own ?? now?.deploy ?? {}, own === undefined ? now?.environment : environment);
  const plan = { service, namespace, image, deploy };
  const stable = now && { service, namespace, image: now.image, deploy: withDefaults(now.deploy, now.environment) };
  const steps = stepFolders({ plan, stable, cliImage });
  for (const { name, objects } of steps) await writeManifests(join(folder, name), manifestFiles(objects, service));
  output.result(
    `${steps.map(({ name }) => join(folder, name)).join('\n')}\nCommit one after the other where your GitOps tool looks; inlay verdict ${service} judges each canary.`,
    { folders: steps.map(({ name }) => join(folder, name)) },
  );
}

interface Look {
  readonly kube: import('../../cluster/index.ts').Kube;
  readonly namespace: string;
  readonly image: ReleaseImage;
  readonly own: EnvironmentConfig | undefined;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly options: {
    readonly config?: string | undefined;
    readonly env?: string | undefined;
    readonly allowBreaking?: true | undefined;
    readonly forceConflicts?: true | undefined;
  };
}

async function lookFirst({
  kube,
  namespace,
  image,
  own,
  journal,
  registry,
  signal,
  options,
}: Look): Promise<Preflight> {
  const { preflight, stableRelease } = await import('../../cluster/index.ts');
  const { diffContracts } = await import('../../check/index.ts');
  const { withDefaults } = await import('../../contract/index.ts');
  const stable = stableRelease(journal);
  const deploy = withDefaults(own ?? stable?.deploy ?? {}, own === undefined ? stable?.environment : options.env);
  const found = await preflight({
    kube,
    plan: { service: image.contract.name, namespace, image, deploy },
    journal,
    allowBreaking: options.allowBreaking === true,
    forceConflicts: options.forceConflicts === true,
    breaking: (from, to) =>
      diffContracts(from, to)
        .filter(({ verdict }) => verdict === 'breaking')
        .map(({ what, from, to }) => `${what} ${from ?? 'none'} → ${to ?? 'none'}`),
  });
  if (deploy.verify === undefined) return found;
  const dir = options.config === undefined ? '.' : dirname(options.config);
  return {
    ...found,
    findings: [...found.findings, ...(await signature(resolve(dir, deploy.verify.key), image, registry, signal))],
  };
}

/** @returns what stands against the image where it is not signed by the key */
async function signature(
  keyPath: string,
  { reference }: ReleaseImage,
  registry: Registry,
  signal: AbortSignal,
): Promise<Preflight['findings']> {
  const { attachmentsInRegistry, parseReference } = await import('../../registry/index.ts');
  const { readPublicKey, verifyImage } = await import('../../supply/index.ts');
  const key = await readPublicKey(keyPath);
  try {
    await verifyImage(
      await attachmentsInRegistry({ registry, reference: parseReference(reference), write: false, signal }),
      key,
    );
    return [];
  } catch (error) {
    if (
      !(error instanceof InlayError) ||
      !['SIGNATURE_MISSING', 'SIGNATURE_INVALID', 'CONTRACT_INVALID'].includes(error.code)
    )
      throw error;
    return [{ check: 'signature', severity: 'error', message: error.message, hint: error.hint }];
  }
}

async function journalOf(who: {
  kube: import('../../cluster/index.ts').Kube;
  namespace: string;
  service: string;
}): Promise<Journal> {
  const { JournalStore } = await import('../../cluster/index.ts');
  return new JournalStore(who.kube, who.namespace, who.service).open();
}

function describe({ findings, changes, kind }: Preflight): string[] {
  return [
    kind === 'unchanged' ? 'nothing changes' : kind === 'first' ? 'a first release' : 'a canary beside stable',
    ...changes.flatMap(({ object, changes: fields }) =>
      fields === undefined
        ? [`+ ${object}`]
        : [`~ ${object}`, ...fields.map(({ path, from, to }) => `    ${path}: ${short(from)} → ${short(to)}`)],
    ),
    ...findings.map(
      ({ severity, check, message, hint }) => `${severity} ${check}: ${message}${hint ? `\n  ${hint}` : ''}`,
    ),
  ];
}

/** A value with its digests cut to what tells them apart. */
function short(value: string | undefined): string {
  return value === undefined ? 'none' : value.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}

function dryRun(found: Preflight, output: Output): void {
  output.result(describe(found).join('\n'), found);
  if (found.findings.some(({ severity }) => severity === 'error')) process.exitCode = EXIT.no;
}

/** @throws RELEASE_REFUSED */
function refuse(found: Preflight, output: Output): void {
  for (const line of describe(found)) output.progress(line);
  const errors = found.findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw new InlayError('RELEASE_REFUSED', errors.map(({ message }) => message).join('; '), {
    hint: errors.map(({ hint }) => hint ?? '').find((hint) => hint !== ''),
  });
}
