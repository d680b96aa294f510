import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { InlayError } from '../error/index.ts';
import { type TarEntry, tarStream } from './layer/tar.ts';
import type { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, Platform } from './oci/schema.ts';

/**
 * Writes one platform's image as the tar that `docker load`, `podman load` and `ctr images import` read: manifest.json, the config
 * and the layers (github.com/moby/docker-image-spec, v1.2, "Combined Image JSON + Filesystem Changeset Format"). zstd is taken off,
 * as older Dockers do not know it; gzip stays.
 * @param path the file, replaced when it is there; a pipe or a device (/dev/stdout) is written to
 * @throws IMAGE_NOT_FOUND, IMAGE_INVALID, PLATFORM_UNSUPPORTED, and what the system says of files
 */
export async function exportDockerArchive(
  store: OciLayout,
  reference: string,
  platform: Platform,
  path: string,
): Promise<void> {
  const { manifest } = await store.resolve(reference, platform);
  const unpacked: string[] = [];
  const there = await stat(path).catch(() => undefined);
  const isSink = there !== undefined && !there.isFile() && !there.isDirectory();
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const entries = new Map<string, TarEntry>();
    const add = (name: string, content: NonNullable<TarEntry['content']>) => {
      entries.set(name, { path: name, type: 'file', mode: 0o644, content });
      return name;
    };
    const config = add(`${hexOf(manifest.config)}.json`, await fileOf(store.blobPath(manifest.config.digest)));
    const layers: string[] = [];
    for (const layer of manifest.layers) {
      const blob = store.blobPath(layer.digest);
      if (!(await store.has(layer))) await store.readBytes(layer.digest); // says what is missing
      if (layer.mediaType === MEDIA_TYPE.layerZstd) {
        const plain = `${store.dir}/blobs/.tmp-${randomUUID()}`;
        unpacked.push(plain);
        await pipeline(createReadStream(blob), createZstdDecompress(), createWriteStream(plain));
        layers.push(add(`${hexOf(layer)}.tar`, await fileOf(plain)));
      } else layers.push(add(`${hexOf(layer)}.tar`, await fileOf(blob)));
    }
    const document = [{ Config: config, RepoTags: [reference], Layers: layers }];
    add('manifest.json', new TextEncoder().encode(JSON.stringify(document)));
    await pipeline(tarStream([...entries.values()], { mtimeS: 0 }), createWriteStream(isSink ? path : temporary));
    if (!isSink) await rename(temporary, path);
  } catch (cause) {
    if (cause instanceof InlayError || (cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new InlayError('IMAGE_INVALID', `${reference} cannot be unpacked: ${(cause as Error).message}`, {
      cause,
      hint: 'Build or pull the image again.',
    });
  } finally {
    // Where nothing can be written there is nothing to remove either.
    for (const file of [temporary, ...unpacked]) await rm(file, { force: true }).catch(() => {});
  }
}

const hexOf = ({ digest }: Pick<Descriptor, 'digest'>) => digest.slice('sha256:'.length);

const fileOf = async (path: string) => ({ path, size: (await stat(path)).size });
