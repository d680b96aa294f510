import { basename, dirname, join } from 'node:path';
import type { AnyProject } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { BuiltImage, ModelSource, OciLayout, Platform } from '../image/index.ts';
import type { Statements } from '../supply/index.ts';
import { inlayHome } from './home.ts';
import { buildNext } from './next-image.ts';
import { offerOnnxRuntime } from './onnx-runtime.ts';
import type { Output } from './output.ts';
import { openBase, openServerImage } from './pinned-image.ts';
import type { RegistryFlags } from './registry.ts';
import { INLAY_VERSION } from './version.ts';

/** The options of every command that builds a project's image. */
export interface BuildFlags extends RegistryFlags {
  readonly platform?: string | undefined;
  readonly compression: string;
  readonly skip?: string | undefined;
  readonly base?: string | undefined;
}

export interface BuiltProject {
  readonly project: AnyProject;
  readonly image: BuiltImage & Statements;
  readonly layout: OciLayout;
  readonly platforms: readonly Platform[];
}

/** A project that is about to be built. */
export interface OpenedProject {
  readonly project: AnyProject;
  readonly layout: OciLayout;
  readonly platforms: readonly Platform[];
  readonly home: string;
  readonly epochS: number;
  readonly compression: 'zstd' | 'gzip';
  /** Layers that reading the model's digest has written. */
  readonly written: ReadonlySet<string>;
}

/**
 * Reads a project, has it checked and builds its image into the local store, with SBOM and provenance attached.
 * @param before is called with the project before minutes of building
 */
export async function buildProject(
  dir: string,
  flags: BuildFlags,
  output: Output,
  before?: (project: AnyProject, platforms: readonly Platform[]) => Promise<void>,
): Promise<BuiltProject> {
  const opened = await openProject(dir, flags);
  await before?.(opened.project, opened.platforms);
  const kept = await checkOpened(opened, output);
  output.progress(`check     ${kept ? 'as before' : 'ok'}`);
  return (await buildNext(opened, flags, output)).built;
}

/** @throws as readAnyProject */
export async function openProject(dir: string, flags: BuildFlags): Promise<OpenedProject> {
  const { readAnyProject } = await import('../contract/index.ts');
  const { acceptedCodes } = await import('../check/index.ts');
  const { ModelDigests, OciLayout, storeDir } = await import('../image/index.ts');
  const compression = compressionOf(flags.compression);
  const platforms = await platformsOf(flags.platform);
  const accepted = flags.skip === undefined ? [] : acceptedCodes(flags.skip.split(','));
  const home = inlayHome(process.env);
  const epochS = sourceDateEpoch(process.env.SOURCE_DATE_EPOCH);
  const layout = await OciLayout.open(storeDir(home));
  const digests = new ModelDigests(layout, join(home, 'cache'), epochS);
  const project = accept(await readAnyProject(dir, digests.digest), accepted);
  return { project, layout, platforms, home, epochS, compression, written: digests.written };
}

/** @returns true when an earlier verdict stood @throws CHECK_FAILED */
export async function checkOpened({ project, home }: OpenedProject, output: Output): Promise<boolean> {
  await offerOnnxRuntime(output);
  const { requireGood } = await import('../check/index.ts');
  return requireGood(project, join(home, 'cache', 'verdicts'), INLAY_VERSION);
}

/** Builds it under the version that it has. */
export async function buildOpened(opened: OpenedProject, flags: BuildFlags, output: Output): Promise<BuiltProject> {
  const { buildImage } = await import('../image/index.ts');
  const { attachStatements } = await import('../supply/index.ts');
  const { project, layout, platforms, home, epochS, compression, written } = opened;
  const lockPath = join(project.dir, 'inlay.lock');
  const named = project.config.serverImage;
  const opening = { ...flags, layout, lockPath };
  const serverImage = named === undefined ? undefined : await openServerImage(named, opening);
  const base = serverImage ? undefined : await openBase(baseAsked(project, flags), { ...opening, platforms, output });
  const source = await sourceOf(project);
  const built = await buildImage({
    project,
    source,
    home,
    platforms,
    compression,
    lockPath,
    serverImage,
    base,
    inlayVersion: INLAY_VERSION,
    epochS,
    written,
    env: process.env,
    onProgress: ({ step, message }) => output.progress(`${step.padEnd(8)}  ${message}`),
  });
  const told = { source, compression, epochS, inlayVersion: INLAY_VERSION, env: process.env };
  const statements = await attachStatements({ layout, project, built, ...told });
  return { project, image: { ...built.image, ...statements }, layout, platforms };
}

/** Where the model was fetched from, if it is still what was fetched. */
export async function sourceOf({ modelPath, contract }: AnyProject): Promise<ModelSource | undefined> {
  const { originOfFile } = await import('../source/index.ts');
  const found = await originOfFile(dirname(modelPath), basename(modelPath), contract.model.digest);
  return found && { uri: found.uri, identity: found.identity };
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

/** @throws USAGE */
function baseAsked({ config, format }: AnyProject, { base }: BuildFlags): string | undefined {
  if (base !== undefined && config.serverImage !== undefined)
    throw new InlayError('USAGE', '--base: inlay.yaml names a serverImage, which has its base already', {
      hint: 'Leave one of them out.',
    });
  if (base === 'apt' && format === 'opaque')
    throw new InlayError('USAGE', '--base apt: an opaque model needs an image that serves it', {
      hint: 'Name that image.',
    });
  return base ?? config.base;
}

/** What somebody accepted is part of what the image promises. */
function accept(project: AnyProject, codes: readonly string[]): AnyProject {
  if (codes.length === 0) return project;
  const accepted = [...codes];
  return project.format === 'opaque'
    ? { ...project, contract: { ...project.contract, accepted } }
    : { ...project, contract: { ...project.contract, accepted } };
}
