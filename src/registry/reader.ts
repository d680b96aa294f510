import { configSchema, type Descriptor, type ImageConfig, type ImageManifest, manifestSchema } from '../image/index.ts';
import { type Attached, attachedTo } from './attached.ts';
import { readBlob } from './blob/download.ts';
import { readSmallBlob } from './blob/small.ts';
import { getManifest, headTag, requireManifest } from './manifest/manifests.ts';
import { readReferrers } from './manifest/referrers.ts';
import { jsonOf, readTags } from './manifest/tags.ts';
import { formatReference, type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';

/** The manifest of one platform. */
export interface PlatformManifest {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
}

/** An image as a registry has it: its index, the manifests below, and a way to what they name. */
export interface ImageEntry {
  readonly registry: string;
  readonly repository: string;
  /** The index, or the manifest where there is none. */
  readonly root: Descriptor;
  /** Those of its platforms; what is attached inside an index (buildkit's attestations) is no platform. */
  readonly platforms: readonly PlatformManifest[];
}

type Place = Pick<ImageReference, 'registry' | 'repository'>;

/** Reads many small things of many repositories, with one login for each repository. For one image there are simpler ways. */
export class RegistryReader {
  readonly #registry: Registry;
  readonly #signal: AbortSignal | undefined;
  readonly #repositories = new Map<string, Repository>();

  constructor(registry: Registry, signal?: AbortSignal) {
    this.#registry = registry;
    this.#signal = signal;
  }

  /** An image by tag or digest; undefined where there is none. Two requests, and one more for each further platform. */
  async entry(reference: ImageReference): Promise<ImageEntry | undefined> {
    const repository = this.#open(reference);
    const root = await getManifest(repository, identifierOf(reference));
    if (!root) return undefined;
    const below = root.manifests.filter(({ platform }) => platform !== undefined && platform.os !== 'unknown');
    const platforms: PlatformManifest[] = [];
    for (const descriptor of below) {
      const { bytes } = await requireManifest(repository, descriptor.digest);
      platforms.push({ descriptor, manifest: manifestSchema.parse(jsonOf(bytes)) });
    }
    if (root.manifests.length === 0)
      platforms.push({ descriptor: root.descriptor, manifest: manifestSchema.parse(jsonOf(root.bytes)) });
    const { registry, repository: name } = reference;
    return { registry, repository: name, root: root.descriptor, platforms };
  }

  /** An image's config. @throws IMAGE_INVALID for another kind of artifact */
  async config(place: Place, descriptor: { readonly digest: string; readonly size: number }): Promise<ImageConfig> {
    const repository = this.#open(place);
    const config = configSchema.safeParse(jsonOf(await readSmallBlob(repository, descriptor))).data;
    if (config) return config;
    throw repository.failure('IMAGE_INVALID', `reading ${descriptor.digest}`, 'the config is not that of an image', {
      hint: 'What is there is another kind of artifact.',
    });
  }

  /** What is attached to manifests: signatures, SBOMs, provenance; nothing is verified. */
  async attached(place: Place, digests: readonly string[]): Promise<readonly Attached[]> {
    const repository = this.#open(place);
    const attachments = {
      referrers: async (digest: string) => (await readReferrers(repository, digest)).referrers,
      manifest: async (identifier: string) => (await getManifest(repository, identifier))?.bytes,
    };
    return (await Promise.all([...new Set(digests)].map((digest) => attachedTo(attachments, digest)))).flat();
  }

  /** The first layer of an attached manifest, a document; undefined where there is none. */
  async document(place: Place, digest: string): Promise<Uint8Array | undefined> {
    const repository = this.#open(place);
    const found = await getManifest(repository, digest);
    const layer = found && manifestSchema.safeParse(jsonOf(found.bytes)).data?.layers[0];
    return layer && readSmallBlob(repository, layer);
  }

  /** The digest that a tag names now; undefined where there is no such tag. A HEAD, which rate limits do not count. */
  async tagDigest(reference: ImageReference): Promise<string | undefined> {
    const repository = this.#open(reference);
    const tag = reference.tag ?? 'latest';
    const response = await headTag(repository, tag);
    if (!response) return undefined;
    return response.headers.get('docker-content-digest') ?? (await getManifest(repository, tag))?.descriptor.digest;
  }

  /** All tags; undefined where there is no such repository. */
  async tags(place: Place): Promise<readonly string[] | undefined> {
    return readTags(this.#open(place));
  }

  /** A layer's bytes as they come; who reads all of them checks the digest. */
  layer(place: Place, layer: Descriptor): AsyncIterable<Uint8Array> {
    return readBlob(this.#open(place), layer);
  }

  #open(place: Place): Repository {
    const key = formatReference({ registry: place.registry, repository: place.repository });
    const known = this.#repositories.get(key);
    if (known) return known;
    const made = this.#registry.open(place, { actions: ['pull'], signal: this.#signal });
    this.#repositories.set(key, made);
    return made;
  }
}
