import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import { whileLocked } from './file-lock.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { check, parseJson } from './parse.ts';
import {
  configSchema,
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  indexSchema,
  manifestSchema,
  type Platform,
} from './schema.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';

/** One platform's image of a reference: the manifest, its config, and where they were found. */
export interface ResolvedImage {
  readonly reference: string;
  /** Digest of the index (or of the manifest, where a reference names one directly). */
  readonly digest: string;
  readonly manifestDigest: string;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/**
 * An OCI image layout on disk (image-layout.md of the OCI image specification): content-addressed blobs, and an
 * index.json that names the images. Files appear whole or not at all: each is written under another name, then renamed. Several
 * processes may write one layout: whoever changes index.json holds the lock of the file `oci-layout`.
 */
export class OciLayout {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Opens the layout in `dir`, making it when it is not there. */
  static async open(dir: string): Promise<OciLayout> {
    const layout = new OciLayout(dir);
    await mkdir(join(dir, 'blobs', 'sha256'), { recursive: true });
    if (!existsSync(layout.#marker)) await layout.#write(layout.#marker, '{"imageLayoutVersion":"1.0.0"}', 'keep');
    const index = join(dir, 'index.json');
    const empty: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [] };
    if (!existsSync(index)) await layout.#write(index, JSON.stringify(empty), 'keep');
    return layout;
  }

  get dir(): string {
    return this.#dir;
  }

  get #marker(): string {
    return join(this.#dir, 'oci-layout');
  }

  blobPath(digest: string): string {
    return join(this.#dir, 'blobs', ...digest.split(':'));
  }

  /** True when the blob is here in its full size. Its bytes were hashed when they came in. */
  async has(descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean> {
    const found = await stat(this.blobPath(descriptor.digest)).catch(() => undefined);
    return found?.size === descriptor.size;
  }

  /** The same for whoever is about to build on it: what was used a moment ago is pruned by nobody. */
  async holds(descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean> {
    if (!(await this.has(descriptor))) return false;
    const now = new Date();
    await utimes(this.blobPath(descriptor.digest), now, now).catch(() => {});
    return true;
  }

  async putBytes(bytes: Uint8Array | string, mediaType: string): Promise<Descriptor> {
    const data = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
    const digest = `sha256:${createHash('sha256').update(data).digest('hex')}`;
    const descriptor = { mediaType, digest, size: data.byteLength };
    if (!(await this.holds(descriptor))) await this.#write(this.blobPath(digest), data);
    return descriptor;
  }

  putJson(value: unknown, mediaType: string): Promise<Descriptor> {
    return this.putBytes(JSON.stringify(value), mediaType);
  }

  /** Writes a stream as a blob: one pass, hashed while writing, in constant memory. */
  async putStream(source: AsyncIterable<Uint8Array>, mediaType: string): Promise<Descriptor> {
    const temporary = join(this.#dir, 'blobs', `.tmp-${randomUUID()}`);
    const hash = createHash('sha256');
    let size = 0;
    try {
      const file = await open(temporary, 'wx', 0o644);
      try {
        for await (const chunk of source) {
          // The disk writes while the processor hashes.
          const written = writeWhole(file, chunk);
          hash.update(chunk);
          size += chunk.byteLength;
          await written;
        }
      } finally {
        await file.close();
      }
      const digest = `sha256:${hash.digest('hex')}`;
      await rename(temporary, this.blobPath(digest));
      return { mediaType, digest, size };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async readBytes(digest: string): Promise<Uint8Array> {
    try {
      return await readFile(this.blobPath(digest));
    } catch (cause) {
      throw new InlayError('IMAGE_INVALID', `blob ${digest} is missing from ${this.#dir}`, {
        cause,
        hint: 'Build or pull the image again.',
      });
    }
  }

  /** A blob's bytes as they are read, in constant memory; the file is opened when the first are asked for. @throws IMAGE_INVALID */
  async *stream(descriptor: Pick<Descriptor, 'digest' | 'size'>): AsyncGenerator<Uint8Array> {
    if (!(await this.has(descriptor))) await this.readBytes(descriptor.digest); // says what is missing
    yield* createReadStream(this.blobPath(descriptor.digest), { highWaterMark: 1 << 20 });
  }

  async index(): Promise<ImageIndex> {
    const path = join(this.#dir, 'index.json');
    return parseJson(indexSchema, await readFile(path, 'utf8'), path);
  }

  /**
   * Names `descriptor`; an older image of that name keeps its blobs but loses the name. What gets a name is whole: what was put here may
   * have been pruned since.
   * @param layers that have to be here @throws IMAGE_INVALID, STORE_BUSY
   */
  async tag(reference: string, descriptor: Descriptor, layers: readonly Descriptor[] = []): Promise<void> {
    const named = { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: reference } };
    await whileLocked(this.#marker, async () => {
      for (const layer of layers) if (!(await this.has(layer))) throw pruned(reference, layer.digest);
      await this.#requireDocuments(reference, descriptor.digest);
      await this.#change((listed) => [...listed.filter((m) => m.annotations?.[REF_NAME] !== reference), named]);
    });
  }

  /** Lists a manifest without naming it, as what is attached to an image is; `instead` are taken off the list. */
  async list(descriptor: Descriptor, instead: readonly string[] = []): Promise<void> {
    const stays = (m: Descriptor): boolean =>
      m.annotations?.[REF_NAME] !== undefined || (m.digest !== descriptor.digest && !instead.includes(m.digest));
    await whileLocked(this.#marker, () => this.#change((listed) => [...listed.filter(stays), descriptor]));
  }

  /** Takes manifests off the list, named or not; their blobs stay. @param goes whether one of the list goes @throws STORE_BUSY */
  unlist(goes: (descriptor: Descriptor, reference: string | undefined) => boolean): Promise<void> {
    return this.alone((unlist) => unlist(goes));
  }

  /**
   * Does `work` while nobody else changes the list: whoever wants to name an image waits, and then finds out what `work` has taken from it.
   * @param work gets what takes manifests off the list @throws STORE_BUSY; what `work` throws
   */
  alone<T>(work: (unlist: OciLayout['unlist']) => Promise<T>): Promise<T> {
    return whileLocked(this.#marker, () =>
      work((goes) => this.#change((listed) => listed.filter((one) => !goes(one, one.annotations?.[REF_NAME])))),
    );
  }

  /** The references in this layout, in the order they were named. */
  async references(): Promise<readonly { readonly reference: string; readonly descriptor: Descriptor }[]> {
    return (await this.index()).manifests.flatMap((descriptor) => {
      const reference = descriptor.annotations?.[REF_NAME];
      return reference === undefined ? [] : [{ reference, descriptor }];
    });
  }

  /**
   * The descriptor of what `reference` names: a name, `name@digest`, or a bare digest (of an index or a manifest).
   * @throws IMAGE_NOT_FOUND, IMAGE_INVALID
   */
  async find(reference: string): Promise<Descriptor> {
    const digest = await this.#digestOf(reference);
    const bytes = await this.readBytes(digest);
    const { mediaType } = parseJson(
      z.object({ mediaType: z.string().optional() }),
      new TextDecoder().decode(bytes),
      digest,
    );
    return { mediaType: mediaType ?? MEDIA_TYPE.manifest, digest, size: bytes.byteLength };
  }

  /**
   * The image that `reference` means for `platform`: a name, `name@digest`, or a bare digest (of index or manifest).
   * @throws IMAGE_NOT_FOUND, PLATFORM_UNSUPPORTED, IMAGE_INVALID
   */
  async resolve(reference: string, platform: Platform): Promise<ResolvedImage> {
    const digest = await this.#digestOf(reference);
    let manifestDigest = digest;
    let document: unknown = await this.#json(digest);
    const index = indexSchema.safeParse(document);
    if (index.success) {
      const fits = index.data.manifests.find(
        (m) => m.platform?.os === platform.os && m.platform.architecture === platform.architecture,
      );
      if (!fits) {
        const there = index.data.manifests.map((m) => `${m.platform?.os}/${m.platform?.architecture}`).join(', ');
        throw new InlayError(
          'PLATFORM_UNSUPPORTED',
          `${reference} has no image for ${platform.os}/${platform.architecture}, only for ${there}`,
          {
            hint: `Build it with --platform ${platform.os}/${platform.architecture}.`,
          },
        );
      }
      manifestDigest = fits.digest;
      document = await this.#json(fits.digest);
    }
    const manifest = check(manifestSchema, document, manifestDigest);
    const config = check(configSchema, await this.#json(manifest.config.digest), manifest.config.digest);
    return { reference, digest, manifestDigest, manifest, config };
  }

  async #digestOf(reference: string): Promise<string> {
    const at = reference.match(/(?:^|@)(sha256:[0-9a-f]{64})$/)?.[1];
    const known = await this.references();
    const found = at ?? known.find((k) => k.reference === reference)?.descriptor.digest;
    if (found !== undefined && existsSync(this.blobPath(found))) return found;
    const names = known.map((k) => k.reference);
    throw new InlayError('IMAGE_NOT_FOUND', `no image ${reference} in ${this.#dir}`, {
      hint:
        names.length > 0
          ? `There are: ${names.slice(0, 8).join(', ')}.`
          : 'There are no images yet: inlay build makes one.',
    });
  }

  async #json(digest: string): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.readBytes(digest)));
  }

  /** The manifest or index, and the manifests and configs below it. */
  async #requireDocuments(reference: string, digest: string): Promise<void> {
    if (!existsSync(this.blobPath(digest))) throw pruned(reference, digest);
    const document = await this.#json(digest);
    const config = manifestSchema.safeParse(document).data?.config;
    if (config && !(await this.has(config))) throw pruned(reference, config.digest);
    for (const child of indexSchema.safeParse(document).data?.manifests ?? [])
      await this.#requireDocuments(reference, child.digest);
  }

  /** Changes the list as it is on disk now, for who holds the lock. A list that stays as it is is not written: the disk may be full. */
  async #change(change: (listed: ImageIndex['manifests']) => ImageIndex['manifests']): Promise<void> {
    const index = await this.index();
    const manifests = change(index.manifests);
    if (manifests.length === index.manifests.length && manifests.every((one, i) => one === index.manifests[i])) return;
    await this.#write(join(this.#dir, 'index.json'), JSON.stringify({ ...index, manifests }));
  }

  /** @param present what becomes of a file that is there: `keep` never puts another in its place, whoever comes first */
  async #write(path: string, data: string | Uint8Array, present: 'replace' | 'keep' = 'replace'): Promise<void> {
    const temporary = join(this.#dir, 'blobs', `.tmp-${randomUUID()}`);
    try {
      await writeFile(temporary, data, { mode: 0o644 });
      if (present === 'replace') return await rename(temporary, path);
      await link(temporary, path).catch((error) => {
        if (!existsSync(path)) throw error;
      });
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await rm(temporary);
  }
}

/** One write may take only a part: a signal came, or the disk is almost full. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) done += (await file.write(chunk, done)).bytesWritten;
}

function pruned(reference: string, digest: string): InlayError {
  return new InlayError('IMAGE_INVALID', `${reference} gets no name: ${digest} was removed while the image was made`, {
    hint: 'Was it inlay prune? Build or pull the image again.',
  });
}
