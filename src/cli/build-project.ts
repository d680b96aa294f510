import { join } from 'node:path';
import type { Project } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { BuiltImage, OciLayout, Platform } from '../image/index.ts';
import type { Statements } from '../supply/index.ts';
import { inlayHome } from './home.ts';
import type { Output } from './output.ts';
import type { RegistryFlags } from './registry.ts';
import { openServerImage } from './server-image.ts';
import { INLAY_VERSION } from './version.ts';

/** The options of every command that builds a project's image. */
export interface BuildFlags extends RegistryFlags {
  readonly platform?: string | undefined;
  readonly compression: string;
  readonly skip?: string | undefined;
}

export interface BuiltProject {
  readonly project: Project;
  readonly image: BuiltImage & Statements;
  readonly layout: OciLayout;
  readonly platforms: readonly Platform[];
}

/**
 * Reads a project, has it checked and builds its image into the local store, with SBOM and provenance attached.
 * @param before is called with the project before minutes of building
 */
export async function buildProject(
  dir: string,
  flags: BuildFlags,
  output: Output,
  before?: (project: Project, platforms: readonly Platform[]) => Promise<void>,
): Promise<BuiltProject> {
  const { readProject } = await import('../contract/index.ts');
  const { acceptedCodes, requireGood } = await import('../check/index.ts');
  const { buildImage, ModelDigests, OciLayout, storeDir } = await import('../image/index.ts');
  const compression = compressionOf(flags.compression);
  const platforms = await platformsOf(flags.platform);
  const accepted = flags.skip === undefined ? [] : acceptedCodes(flags.skip.split(','));
  const home = inlayHome(process.env);
  const epochS = sourceDateEpoch(process.env.SOURCE_DATE_EPOCH);
  const layout = await OciLayout.open(storeDir(home));
  const digests = new ModelDigests(layout, join(home, 'cache'), epochS);
  const project = accept(await readProject(dir, digests.digest), accepted);
  await before?.(project, platforms);
  const kept = await requireGood(project, join(home, 'cache', 'verdicts'), INLAY_VERSION);
  output.progress(`check     ${kept ? 'as before' : 'ok'}`);
  const lockPath = join(project.dir, 'inlay.lock');
  const named = project.config.serverImage;
  const serverImage = named === undefined ? undefined : await openServerImage(named, { ...flags, layout, lockPath });
  const built = await buildImage({
    project,
    home,
    platforms,
    compression,
    lockPath,
    serverImage,
    inlayVersion: INLAY_VERSION,
    epochS,
    written: digests.written,
    env: process.env,
    onProgress: ({ step, message }) => output.progress(`${step.padEnd(8)}  ${message}`),
  });
  const { attachStatements } = await import('../supply/index.ts');
  const told = { compression, epochS, inlayVersion: INLAY_VERSION, env: process.env };
  const statements = await attachStatements({ layout, project, built, ...told });
  return { project, image: { ...built.image, ...statements }, layout, platforms };
}

/** @throws USAGE */
export function compressionOf(text: string): 'zstd' | 'gzip' {
  if (text === 'zstd' || text === 'gzip') return text;
  throw new InlayError('USAGE', `no compression ${text}`, { hint: 'Choose zstd or gzip.' });
}

/** What --platform lists; this machine's without it. @throws PLATFORM_UNSUPPORTED */
export async function platformsOf(list: string | undefined): Promise<Platform[]> {
  const { hostPlatform, parsePlatform } = await import('../image/index.ts');
  if (list === undefined) return [hostPlatform(process.arch)];
  return [...new Set(list.split(',').map((text) => text.trim()))].map(parsePlatform);
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), or 0: no clock is read. */
export function sourceDateEpoch(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new InlayError('USAGE', `SOURCE_DATE_EPOCH=${text}: expected seconds since 1970`);
}

/** What somebody accepted is part of what the image promises. */
function accept(project: Project, codes: readonly string[]): Project {
  return codes.length === 0 ? project : { ...project, contract: { ...project.contract, accepted: [...codes] } };
}
