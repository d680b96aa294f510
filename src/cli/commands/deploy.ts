import { dirname, join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import type { Journal, Preflight, ReleaseImage } from '../../cluster/index.ts';
import type { EnvironmentConfig } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import type { Registry } from '../../registry/index.ts';
import { platformsOf } from '../build-project.ts';
import { buildOwnImage, pushOwnImage } from '../cli-image.ts';
import { actor, CONTEXT, NAMESPACE, withCluster } from '../cluster.ts';
import { createOutput, EXIT, type Output } from '../output.ts';
import { describePreflight, journalOf, lookFirst, refuse } from '../preflight.ts';
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
      const { adopt, deploy, expectReleaser, statusOf } = await import('../../cluster/index.ts');
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
            lookFirst({
              ...{ kube, namespace, image: released, own, journal, registry, signal },
              dir: options.config === undefined ? '.' : dirname(options.config),
              environment: options.env,
              allowBreaking: options.allowBreaking === true,
              forceConflicts: options.forceConflicts === true,
            });
          const resolve = (reference: string) => releaseImage(registry, reference, signal);
          const asItRuns = options.write !== undefined;
          const journalNow = async () =>
            adopt(kube, namespace, await journalOf(who), {
              ...{ resolve, deploy: own, environment: options.env, asItRuns },
            });
          if (options.dryRun) return dryRun(await look(await journalNow()), output);
          if (options.write !== undefined) {
            const [journal, cliImage] = [await journalNow(), options.cliImage];
            return writeSteps(
              { who, journal, image: released, own, environment: options.env, folder: options.write, cliImage },
              output,
            );
          }
          if (options.detach) await expectReleaser(kube, namespace);
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
            resolve,
            ...(ownImage === undefined
              ? {}
              : { detach: detachTo(who, ownImage, options.forceConflicts === true, output) }),
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

function detachTo(who: Who & { readonly actor: string }, image: string, forceConflicts: boolean, output: Output) {
  return async (release: import('../../cluster/index.ts').Release): Promise<void> => {
    const { startReleaseJob } = await import('../../cluster/index.ts');
    const { withDefaults } = await import('../../contract/index.ts');
    const { kube, namespace, service, actor } = who;
    const { imagePullSecrets } = withDefaults(release.deploy, release.environment);
    const job = { service, namespace, release: release.number, image, imagePullSecrets, actor, forceConflicts };
    const name = await startReleaseJob(kube, job);
    output.progress(`Job ${namespace}/${name} goes on with it: inlay status ${service} -n ${namespace} --watch`);
  };
}

/** Writes the states of a release as folders, one after the other to be put where a GitOps tool looks. */
async function writeSteps(
  what: {
    readonly who: Who;
    readonly journal: Journal;
    readonly image: ReleaseImage;
    readonly own: EnvironmentConfig | undefined;
    readonly environment: string | undefined;
    readonly folder: string;
    readonly cliImage: string | undefined;
  },
  output: Output,
): Promise<void> {
  const { manifestFiles, stableRelease, stepFolders, unsaid, writeStates } = await import('../../cluster/index.ts');
  const { withDefaults } = await import('../../contract/index.ts');
  const { who, journal, image, own, environment, folder, cliImage } = what;
  const { service, namespace } = who;
  const now = stableRelease(journal);
  const said = own ?? now?.deploy;
  if (said === undefined) throw unsaid(service);
  const deploy = withDefaults(said, own === undefined ? now?.environment : environment);
  const plan = { service, namespace, image, deploy };
  const stable = now && { service, namespace, image: now.image, deploy: withDefaults(now.deploy, now.environment) };
  const steps = stepFolders({ plan, stable, cliImage });
  await writeStates(
    folder,
    steps.map(({ name, objects }) => ({ name, files: manifestFiles(objects, service) })),
  );
  output.result(
    `${steps.map(({ name }) => join(folder, name)).join('\n')}\nCommit one after the other where your GitOps tool looks; inlay verdict ${service} judges each canary.`,
    { folders: steps.map(({ name }) => join(folder, name)) },
  );
}

function dryRun(found: Preflight, output: Output): void {
  output.result(describePreflight(found).join('\n'), found);
  if (found.findings.some(({ severity }) => severity === 'error')) process.exitCode = EXIT.no;
}
