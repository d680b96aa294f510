import type { Command } from '@commander-js/extra-typings';
import type { ClusterCommand, KubeObject } from '../../cluster/index.ts';
import { InlayError } from '../../error/index.ts';
import { namespaceOf } from '../cluster.ts';
import { createOutput } from '../output.ts';
import { plannedImage } from '../planned-image.ts';

export function addManifests(program: Command): void {
  program
    .command('manifests')
    .summary('the Kubernetes objects of a service')
    .description(
      'Prints the objects of a first release as YAML, for kubectl apply --server-side --field-manager=inlay -f -; or writes them as a folder with a kustomization. Deployments have no replicas on purpose: they are the HorizontalPodAutoscaler’s.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--env <name>', 'an environment of deploy: in inlay.yaml')
    .option('-n, --namespace <name>', 'instead of deploy.namespace (default: default)')
    .option('--image <reference>', 'REGISTRY/REPOSITORY:TAG@DIGEST instead of the image that inlay build made')
    .option('--skip-namespace', 'leave the Namespace out: it is there, or somebody else’s')
    .option(
      '--output <folder>',
      'write a file an object and kustomization.yaml; what inlay wrote there before is replaced',
    )
    .option(
      '--roles [commands]',
      'print the Roles that these commands need instead (default: all), separated by commas; releaser: who the Jobs of deploy --detach are',
    )
    .option('--json', 'print a List as JSON')
    .action(async (dir, options) => {
      const { toYaml } = await import('../../cluster/index.ts');
      const output = createOutput(options.json === true);
      const { objects, service } =
        options.roles === undefined
          ? await objectsOf(dir, options)
          : { objects: await roles(options.roles, options.namespace), service: 'inlay' };
      if (options.output === undefined) return output.result(toYaml(objects), listOf(objects));
      const { manifestFiles, writeManifests } = await import('../../cluster/index.ts');
      const files = manifestFiles(objects, service);
      await writeManifests(options.output, files);
      output.result(
        `${files.length} files in ${options.output}. Next: kubectl apply --server-side --field-manager=inlay -k ${options.output}`,
        { dir: options.output, files: files.map(({ name }) => name) },
      );
    });
}

interface Flags {
  readonly env?: string | undefined;
  readonly namespace?: string | undefined;
  readonly image?: string | undefined;
  readonly skipNamespace?: true | undefined;
}

async function objectsOf(dir: string, flags: Flags) {
  const { manifestsOf } = await import('../../cluster/index.ts');
  const { resolveDeploy } = await import('../../contract/index.ts');
  const { project, image } = await plannedImage(dir, flags.image);
  const deploy = resolveDeploy(project.config, flags.env);
  const namespace = namespaceOf(flags.namespace) ?? deploy.namespace ?? 'default';
  const service = project.config.name;
  const plan = { service, namespace, deploy, image };
  return { objects: manifestsOf(plan, { namespaceObject: flags.skipNamespace !== true }), service };
}

async function roles(list: string | true, namespace: string | undefined): Promise<KubeObject[]> {
  const { CLUSTER_COMMANDS, releaserObjects, rolesOf } = await import('../../cluster/index.ts');
  const { didYouMean } = await import('../../error/index.ts');
  // Who the Jobs of deploy --detach are: an account, its Role and the binding.
  if (list === 'releaser') return releaserObjects(namespaceOf(namespace) ?? 'default');
  const wanted = list === true ? CLUSTER_COMMANDS : list.split(',').map((word) => word.trim());
  const commands = wanted.map((word): ClusterCommand => {
    const known = CLUSTER_COMMANDS.find((command) => command === word);
    if (known !== undefined) return known;
    const meant = didYouMean(word, CLUSTER_COMMANDS);
    throw new InlayError('USAGE', `--roles ${word}: no command that talks to a cluster`, {
      hint: meant ? `Did you mean ${meant}?` : `There are ${CLUSTER_COMMANDS.join(', ')}.`,
    });
  });
  return rolesOf([...new Set(commands)], namespaceOf(namespace));
}

/** What kubectl reads as well as a YAML stream. */
function listOf(items: readonly KubeObject[]) {
  return { apiVersion: 'v1', kind: 'List', items };
}
