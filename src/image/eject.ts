import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { InlayError } from '../error/index.ts';
import { LABEL_PREFIX } from './facts.ts';
import type { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { ImageConfig, Platform } from './oci/schema.ts';

/**
 * Writes a build context with a Dockerfile that makes one platform's image again, for those who have to use `docker build`: the
 * layers as tars, which ADD unpacks; all of it or nothing. The image has the same files and settings, not the same digest.
 * @param dir a folder that is empty or not there yet
 * @returns the files @throws USAGE, IMAGE_NOT_FOUND, IMAGE_INVALID, PLATFORM_UNSUPPORTED
 */
export async function ejectImage(
  store: OciLayout,
  reference: string,
  platform: Platform,
  dir: string,
): Promise<readonly string[]> {
  const { manifest, config } = await store.resolve(reference, platform);
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0)
    throw new InlayError('USAGE', `${dir} is not empty`, { hint: 'Name a folder that is not there yet.' });
  const written: string[] = [];
  try {
    for (const [i, layer] of manifest.layers.entries()) {
      if (!(await store.has(layer))) await store.readBytes(layer.digest); // says what is missing
      const kind = layer.annotations?.[`${LABEL_PREFIX}layer`] ?? 'layer';
      // ADD unpacks gzip, not zstd.
      const name = `${i + 1}-${kind}.tar${layer.mediaType === MEDIA_TYPE.layerGzip ? '.gz' : ''}`;
      const source = createReadStream(store.blobPath(layer.digest));
      const target = createWriteStream(join(dir, name));
      written.push(name);
      if (layer.mediaType === MEDIA_TYPE.layerZstd) await pipeline(source, createZstdDecompress(), target);
      else await pipeline(source, target);
    }
    await writeFile(join(dir, 'Dockerfile'), dockerfileOf(platform, written, config));
    return ['Dockerfile', ...written];
  } catch (error) {
    // On a full disk nobody has to clear it before the next try.
    for (const name of ['Dockerfile', ...written]) await rm(join(dir, name), { force: true });
    throw error;
  }
}

/** The Dockerfile: one instruction a line, what does not change with the model first, so that docker build keeps it. */
export function dockerfileOf(platform: Platform, layers: readonly string[], { config }: ImageConfig): string {
  const pairs = (config.Env ?? []).map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  const lines = [
    `FROM --platform=${platform.os}/${platform.architecture} scratch`,
    ...layers.map((layer) => `ADD ${layer} /`),
    ...pairs.map(([name, value]) => `ENV ${name}=${quoted(value)}`),
    ...Object.entries(config.Labels ?? {}).map(([name, value]) => `LABEL ${quoted(name)}=${quoted(value)}`),
    ...Object.keys(config.ExposedPorts ?? {}).map((port) => `EXPOSE ${port}`),
    ...(config.WorkingDir ? [`WORKDIR ${config.WorkingDir}`] : []),
    ...(config.User ? [`USER ${config.User}`] : []),
    ...(config.StopSignal ? [`STOPSIGNAL ${config.StopSignal}`] : []),
    ...(config.Entrypoint ? [`ENTRYPOINT ${JSON.stringify(config.Entrypoint)}`] : []),
    ...(config.Cmd ? [`CMD ${JSON.stringify(config.Cmd)}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** In double quotes Docker knows three characters with a meaning (docs.docker.com/reference/dockerfile, ENV). */
function quoted(value: string): string {
  return `"${value.replace(/["\\$]/g, '\\$&')}"`;
}
