import type { AnyContract, AnyProject } from '../contract/index.ts';
import type { NextVersion } from '../release/index.ts';
import { type BuildFlags, type BuiltProject, buildOpened, type OpenedProject } from './build-project.ts';
import type { Output } from './output.ts';
import { withRegistry } from './registry.ts';

/** What inlay.yaml has for a version that inlay decides. */
export const AUTO = 'auto';

export interface NextImage {
  readonly built: BuiltProject;
  /** How the version was decided, where inlay.yaml leaves that to inlay. */
  readonly next: NextVersion | undefined;
}

/** Builds the image; with `version: auto` under the version that comes next in its repository, or the one that it has there already. */
export async function buildNext(opened: OpenedProject, flags: BuildFlags, output: Output): Promise<NextImage> {
  if (opened.project.config.version !== AUTO)
    return { built: await buildOpened(opened, flags, output), next: undefined };
  const { patchAfter } = await import('../release/index.ts');
  const { latest, next } = await decideVersion(opened, flags);
  const built = await buildOpened(withVersion(opened, next.version), flags, output);
  // The same contract on another base, or with another server, is another image.
  const moved = next.level === 'same' && latest?.digest !== built.image.digest;
  if (!moved) {
    tell(next, output);
    return { built, next };
  }
  const other = { version: patchAfter(next.version), level: 'patch', why: ['base or server'] } as const;
  tell(other, output);
  return { built: await buildOpened(withVersion(opened, other.version), flags, output), next: other };
}

function tell({ version, level, why }: NextVersion, output: Output): void {
  output.progress(`version   ${version}  ${level}${why.length > 0 ? `: ${why.join(', ')}` : ''}`);
}

/** Which version comes next, and what is the highest there; nothing is built. */
export async function decideVersion(
  { project, layout }: Pick<OpenedProject, 'project' | 'layout'>,
  flags: Pick<BuildFlags, 'insecureRegistry' | 'caFile'>,
): Promise<{ readonly latest: Released | undefined; readonly next: NextVersion }> {
  const { diffContracts } = await import('../check/index.ts');
  const { nextVersion } = await import('../release/index.ts');
  const { contract } = project;
  const latest = await latestOf(project, layout, flags);
  if (latest === undefined) return { latest, next: nextVersion(undefined, [], false) };
  const same = (await textOf(contract)) === (await textOf(latest.contract));
  return { latest, next: nextVersion(latest.version, diffContracts(latest.contract, contract), same) };
}

/** A contract without its version; read again, so that the order of keys is that of what was read out of an image. */
async function textOf(contract: AnyContract): Promise<string> {
  const { isOpaque, parseContract, serializeContract } = await import('../contract/index.ts');
  return isOpaque(contract)
    ? JSON.stringify({ ...contract, version: '' })
    : serializeContract(parseContract(serializeContract({ ...contract, version: '' }), 'contract.json'));
}

interface Released {
  readonly version: string;
  readonly digest: string;
  readonly contract: AnyContract;
}

/** The image of the highest version: in its registry where `image:` names one, else in the local store. */
async function latestOf(
  { config }: AnyProject,
  layout: OpenedProject['layout'],
  flags: Pick<BuildFlags, 'insecureRegistry' | 'caFile'>,
): Promise<Released | undefined> {
  const { highestVersion } = await import('../release/index.ts');
  const { hostPlatform } = await import('../image/index.ts');
  const { contractOfImage, formatReference, listTags, registryReference, resolveDigest } = await import(
    '../registry/index.ts'
  );
  const repository = config.image ?? config.name;
  const platform = hostPlatform(process.arch);
  return withRegistry(flags, async (registry, signal) => {
    const there = config.image === undefined ? undefined : registryReference(config.image);
    if (!there) {
      const names = (await layout.references()).map(({ reference }) => reference);
      const version = highestVersion(
        names.filter((n) => n.startsWith(`${repository}:`)).map((n) => n.slice(repository.length + 1)),
      );
      if (version === undefined) return undefined;
      const found = await contractOfImage({
        registry,
        layout,
        reference: `${repository}:${version}`,
        platform,
        signal,
      });
      return { version, digest: found.digest, contract: found.contract };
    }
    const version = highestVersion(await tagsOf(() => listTags({ registry, reference: there, signal })));
    if (version === undefined) return undefined;
    const digest = await resolveDigest({ registry, reference: { ...there, tag: version }, signal });
    const reference = formatReference({ ...there, tag: version, digest });
    const { contract } = await contractOfAny({ registry, layout, reference, signal });
    return { version, digest, contract };
  });
}

/** All platforms of an image have one contract. */
async function contractOfAny(
  options: Omit<Parameters<typeof import('../registry/index.ts').contractOfImage>[0], 'platform'>,
) {
  const { hostPlatform } = await import('../image/index.ts');
  const { attachmentsInRegistry, contractOfImage, parseReference } = await import('../registry/index.ts');
  const { registry, reference, signal } = options;
  const image = await attachmentsInRegistry({ registry, reference: parseReference(reference), write: false, signal });
  const own = image.platforms.flatMap(({ platform }) => platform ?? []);
  const here = hostPlatform(process.arch);
  const platform = own.find(({ architecture }) => architecture === here.architecture) ?? own[0] ?? here;
  return contractOfImage({ ...options, platform });
}

/** A repository that nobody has pushed to yet has no tags. */
async function tagsOf(list: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const { isInlayError } = await import('../error/index.ts');
  try {
    return await list();
  } catch (error) {
    if (isInlayError(error) && error.code === 'REGISTRY_NOT_FOUND') return [];
    throw error;
  }
}

/** The project under a version: part of what its image promises. */
export function withVersion(opened: OpenedProject, version: string): OpenedProject {
  const { project } = opened;
  const config = { ...project.config, version };
  return project.format === 'opaque'
    ? { ...opened, project: { ...project, config, contract: { ...project.contract, version } } }
    : { ...opened, project: { ...project, config, contract: { ...project.contract, version } } };
}
