import { createHash } from 'node:crypto';
import { type BuiltImage, builtLayer, storeDir } from './build.ts';
import { bundlePrograms } from './bundle.ts';
import { baseAnnotations, cliLabels } from './facts.ts';
import type { TarEntry } from './layer/tar.ts';
import { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, ImageIndex, Platform } from './oci/schema.ts';
import { placer } from './placer.ts';
import { CLI_DIR, putImage } from './put-image.ts';
import { type ComposeOptions, composeShared } from './shared-layers.ts';

export interface CliImageOptions extends ComposeOptions {
  /** What it is called in the store, without a tag: the tag is made of inlay's version and what is in it. */
  readonly repository: string;
  readonly platforms: readonly Platform[];
}

/** What stays outside: ONNX Runtime lies in the runtime's layer; the others are optional parts of the SBOM's library. */
const EXTERNAL = [
  'onnxruntime-node',
  'onnxruntime-node/dist/binding.js',
  'xmlbuilder2',
  'libxmljs2',
  'ajv',
  'ajv-formats',
  'ajv-formats-draft2019',
];

/**
 * Builds an image of inlay's own command line: base and runtime are byte for byte the layers of every model image, which nodes have
 * already. For what runs in a cluster: releases, verdicts, the hub, pruning. (Building images wants apt and npm, which are not in it.)
 * @throws as buildImage
 */
export async function buildCliImage(options: CliImageOptions): Promise<BuiltImage> {
  const layout = await OciLayout.open(storeDir(options.home));
  const cli = await bundleCli();
  const manifests: Descriptor[] = [];
  const platforms: BuiltImage['platforms'][number][] = [];
  for (const platform of options.platforms) {
    const shared = await composeShared(layout, platform, options);
    const place = placer(layout, platform, options);
    const layers = [
      ...shared.layers.filter(({ kind }) => kind !== 'server'),
      await place('cli', `inlay ${options.inlayVersion}`, cli),
    ];
    const manifest = await putImage(layout, {
      platform,
      layers,
      under: shared.under,
      program: 'cli',
      env: {},
      workingDir: '/',
      labels: cliLabels(shared.facts, options.inlayVersion),
      annotations: baseAnnotations(options.base),
      epochS: options.epochS,
    });
    manifests.push(manifest);
    platforms.push({
      platform: `${platform.os}/${platform.architecture}`,
      digest: manifest.digest,
      sizeBytes: layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
      layers: layers.map(builtLayer),
    });
  }
  const index: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
  const descriptor = await layout.putJson(index, MEDIA_TYPE.index);
  // A version under development changes without a new number: a tag never names two things.
  const tag = `${options.inlayVersion}-${descriptor.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
  const reference = `${options.repository}:${tag}`;
  await layout.tag(reference, descriptor);
  return { reference, digest: descriptor.digest, platforms };
}

async function bundleCli() {
  const { files } = await bundlePrograms(['cli/main.ts'], EXTERNAL);
  const hash = createHash('sha256');
  const entries = files.map(({ name, content }): TarEntry => {
    const path = `${CLI_DIR.slice(1)}/${name}`;
    hash.update(`${path}\0${content.length}\0`).update(content);
    return { path, type: 'file', mode: 0o644, content };
  });
  return { key: hash.digest('hex'), entries: async () => entries };
}
