import { createHash } from 'node:crypto';
import { type BuiltImage, storeDir } from './build.ts';
import { bundleCli } from './cli-bundle.ts';
import { cliLabels } from './facts.ts';
import type { TarEntry } from './layer/tar.ts';
import { OciLayout } from './oci/layout.ts';
import type { Platform } from './oci/schema.ts';
import { placer } from './placer.ts';
import { CLI_DIR } from './put-image.ts';
import { type ComposeOptions, composeShared } from './shared-layers.ts';
import { putWithoutModel } from './without-model.ts';

export interface CliImageOptions extends ComposeOptions {
  /** What it is called in the store, without a tag: the tag is made of inlay's version and what is in it. */
  readonly repository: string;
  readonly platforms: readonly Platform[];
}

/**
 * Builds an image of inlay's own command line: base and runtime are byte for byte the layers of every model image, which nodes have
 * already. For what runs in a cluster: releases, verdicts, the hub, pruning. (Building images wants apt and npm, which are not in it.)
 * @throws as buildImage
 */
export async function buildCliImage(options: CliImageOptions): Promise<BuiltImage> {
  const layout = await OciLayout.open(storeDir(options.home));
  const cli = await cliLayer();
  const { descriptor, platforms } = await putWithoutModel(layout, options, async (platform) => {
    const { layers, under, facts } = await composeShared(layout, platform, options);
    const place = placer(layout, platform, options);
    return {
      layers: [
        ...layers.filter(({ kind }) => kind !== 'server'),
        await place('cli', `inlay ${options.inlayVersion}`, cli),
      ],
      under,
      program: 'cli',
      labels: cliLabels(facts, options.inlayVersion),
    };
  });
  // A version under development changes without a new number: a tag never names two things.
  const tag = `${options.inlayVersion}-${descriptor.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
  const reference = `${options.repository}:${tag}`;
  await layout.tag(reference, descriptor);
  return { reference, digest: descriptor.digest, platforms };
}

async function cliLayer() {
  const { files } = await bundleCli();
  const hash = createHash('sha256');
  const entries = files.map(({ name, content }): TarEntry => {
    const path = `${CLI_DIR.slice(1)}/${name}`;
    hash.update(`${path}\0${content.length}\0`).update(content);
    return { path, type: 'file', mode: 0o644, content };
  });
  return { key: hash.digest('hex'), entries: async () => entries };
}
