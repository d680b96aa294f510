import { InlayError } from '../error/index.ts';
import type { Declaration } from '../prune/index.ts';
import { namespaceOf } from './cluster.ts';

export interface ManifestFlags {
  readonly yes?: true | undefined;
  readonly insecureRegistry: string[];
  readonly image?: string | undefined;
  readonly namespace: string;
  readonly schedule: string;
  readonly registrySecret?: string | undefined;
  readonly kubeconfigSecret?: string | undefined;
  readonly pullSecret: readonly string[];
}

/** The CronJob that prunes, as YAML and as a List. @throws PRUNE_UNDECLARED, LOCK_INVALID */
export async function pruneManifests(declaration: Declaration, flags: ManifestFlags): Promise<[string, unknown]> {
  if (flags.image === undefined)
    throw new InlayError('USAGE', '--manifests needs --image', {
      hint: 'inlay cli-image REGISTRY/REPOSITORY --push makes an image of inlay, and prints its name.',
    });
  const { targets } = declaration;
  const missing = targets.find(({ clusters }) => clusters === undefined);
  if (targets.length === 0 || missing)
    throw new InlayError(
      'PRUNE_UNDECLARED',
      missing ? `no file says which clusters may run images of ${missing.repository}` : 'no file names a repository',
      { hint: 'Name a file with --config (docs/prune.md): its rules go into the ConfigMap.' },
    );
  const { mountedDeclaration, pruneObjects } = await import('../prune/index.ts');
  const { toYaml } = await import('../cluster/index.ts');
  const items = pruneObjects({
    namespace: namespaceOf(flags.namespace) ?? 'inlay',
    image: flags.image,
    schedule: flags.schedule,
    declaration: await mountedDeclaration(declaration),
    acts: flags.yes === true,
    registrySecret: flags.registrySecret,
    kubeconfigSecret: flags.kubeconfigSecret,
    imagePullSecrets: flags.pullSecret,
    insecureRegistries: flags.insecureRegistry,
  });
  return [toYaml(items), { apiVersion: 'v1', kind: 'List', items }];
}
