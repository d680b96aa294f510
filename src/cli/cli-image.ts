import { join } from 'node:path';
import type { BuiltImage, Platform } from '../image/index.ts';
import type { PushResult, Registry } from '../registry/index.ts';
import { sourceDateEpoch } from './build-project.ts';
import { targetOf } from './commands/push.ts';
import { inlayHome } from './home.ts';
import type { Output } from './output.ts';
import { showTransfer } from './registry.ts';
import { INLAY_VERSION } from './version.ts';

export interface CliImageFlags {
  readonly platforms: readonly Platform[];
  readonly compression: 'zstd' | 'gzip';
  readonly lockPath?: string | undefined;
}

/** Builds the image of inlay's own command line into the local store. @param repository REGISTRY/REPOSITORY */
export async function buildOwnImage(repository: string, flags: CliImageFlags, output: Output): Promise<BuiltImage> {
  const { buildCliImage } = await import('../image/index.ts');
  const home = inlayHome(process.env);
  return buildCliImage({
    repository,
    home,
    platforms: flags.platforms,
    compression: flags.compression,
    lockPath: flags.lockPath ?? join(home, 'cache', 'cli.lock'),
    inlayVersion: INLAY_VERSION,
    epochS: sourceDateEpoch(process.env.SOURCE_DATE_EPOCH),
    env: process.env,
    onProgress: ({ step, message }) => output.progress(`${step.padEnd(8)}  ${message}`),
  });
}

/** Pushes it where its name says; a registry that has it already is asked, and that is all. */
export async function pushOwnImage(
  registry: Registry,
  image: BuiltImage,
  output: Output,
  signal: AbortSignal,
): Promise<PushResult> {
  const { OciLayout, storeDir } = await import('../image/index.ts');
  const { pushImage } = await import('../registry/index.ts');
  return pushImage({
    registry,
    layout: await OciLayout.open(storeDir(inlayHome(process.env))),
    source: image.reference,
    to: await targetOf(image.reference),
    tags: [],
    force: false,
    onProgress: showTransfer(output, 'pushed  '),
    signal,
  });
}
