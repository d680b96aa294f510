import type { RegistryReader } from '../../registry/index.ts';
import { placeOf } from '../image/catalogue.ts';

/** What a repository of a registry holds, in compressed bytes. */
export interface RepositoryStorage {
  readonly repository: string;
  readonly tags: number;
  readonly images: number;
  /** Each layer once. */
  readonly sizeBytes: number;
  /** Of those, what more than one image has. */
  readonly sharedBytes: number;
  /** Servers that run one of its images. */
  readonly running: number;
  /** Tags that were not read: there are very many. */
  readonly left?: number;
  readonly error?: string;
}

const MOST_TAGS = 500;

/** Reads the manifests of a repository's tags. */
export async function readStorage(
  reader: RegistryReader,
  repository: string,
  running: number,
): Promise<RepositoryStorage> {
  const place = placeOf({ repository });
  const empty = { repository, tags: 0, images: 0, sizeBytes: 0, sharedBytes: 0, running };
  try {
    const all = (await reader.tags(place)) ?? [];
    // Tags of cosign and of clients that keep referrers are no images.
    const tags = all.filter((tag) => !/^sha256-[0-9a-f]{64}/.test(tag));
    const images = new Set<string>();
    const blobs = new Map<string, { readonly size: number; images: number }>();
    for (const tag of tags.slice(0, MOST_TAGS)) {
      const entry = await reader.entry({ ...place, tag, registryNamed: true });
      if (!entry || images.has(entry.root.digest)) continue;
      images.add(entry.root.digest);
      const own = new Map(
        entry.platforms.flatMap(({ manifest }) =>
          [manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob.size] as const),
        ),
      );
      for (const [digest, size] of own) {
        const known = blobs.get(digest);
        if (known) known.images++;
        else blobs.set(digest, { size, images: 1 });
      }
    }
    const sum = (sizes: readonly { readonly size: number }[]) => sizes.reduce((total, { size }) => total + size, 0);
    return {
      ...empty,
      tags: tags.length,
      images: images.size,
      sizeBytes: sum([...blobs.values()]),
      sharedBytes: sum([...blobs.values()].filter((blob) => blob.images > 1)),
      ...(tags.length > MOST_TAGS ? { left: tags.length - MOST_TAGS } : {}),
    };
  } catch (error) {
    return { ...empty, error: error instanceof Error ? error.message : String(error) };
  }
}
