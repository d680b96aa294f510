import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { InlayError, isInlayError } from '../../error/index.ts';
import { formatReference, type ImageEntry, type ImageReference, type RegistryReader } from '../../registry/index.ts';
import type { Warning } from '../row.ts';
import { digestsOf, type ImageFacts, imageFactsSchema } from './facts.ts';
import type { RunningImage } from './image-id.ts';
import { readAttached, readFacts, withPackages } from './read-facts.ts';

export interface CatalogueOptions {
  readonly reader: RegistryReader;
  /** Where facts are kept between runs, by digest. */
  readonly cacheDir: string;
  /** Compressed bytes of layers that are read of one image that does not tell its packages; 0 to read none. */
  readonly layerBytes: number;
  /** Requests to registries at once. */
  readonly concurrency?: number;
}

/** What could be found out of an image, or why nothing. */
export type Looked = { readonly facts: ImageFacts } | { readonly why: string };

const CONCURRENCY = 24;
/** Hosts that do not answer are not asked again for so long, ms: ten thousand images would each wait for nothing. */
const AWAY_MS = 30_000;

/** The facts of images, each looked up once by digest: in memory, then on disk, then in its registry. */
export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #limit: ReturnType<typeof pLimit>;
  /** By every digest that leads to the image. */
  readonly #known = new Map<string, ImageFacts>();
  readonly #looking = new Map<string, Promise<Looked>>();
  readonly #tags = new Map<string, string | null>();
  readonly #away = new Map<string, { readonly until: number; readonly error: InlayError }>();
  readonly #warnings = new Map<string, Warning>();
  #lookups = 0;

  constructor(options: CatalogueOptions) {
    this.#options = options;
    this.#limit = pLimit(options.concurrency ?? CONCURRENCY);
  }

  /** How many images were looked up in registries. */
  get lookups(): number {
    return this.#lookups;
  }

  /** What could not be read, by registry. */
  get warnings(): readonly Warning[] {
    return [...this.#warnings.values()];
  }

  /** The facts of an image that has been looked up. */
  known(digest: string | undefined): ImageFacts | undefined {
    return digest === undefined ? undefined : this.#known.get(digest);
  }

  /** All images that have been looked up, each once. */
  images(): Set<ImageFacts> {
    return new Set(this.#known.values());
  }

  /** @param packages true to read them from the layers where the labels do not tell them */
  async look(image: RunningImage, packages: boolean): Promise<Looked> {
    const { digest, place } = image;
    if (digest === undefined) return { why: 'no node runs it yet' };
    const known = this.#known.get(digest);
    if (known && !(packages && this.#lacksPackages(known))) return { facts: known };
    const key = `${digest} ${packages}`;
    const looking = this.#looking.get(key) ?? this.#limit(() => this.#lookUp(digest, place, packages));
    this.#looking.set(key, looking);
    try {
      return await looking;
    } finally {
      // A failure may pass: the next scan tries again.
      this.#looking.delete(key);
    }
  }

  /** The digest that a tag names now; null where it is gone, undefined where that cannot be known. Asked once until `forgetTags`. */
  tag(place: ImageReference): string | null | undefined {
    return this.#tags.get(tagKey(place));
  }

  async lookTag(place: ImageReference): Promise<string | null | undefined> {
    const key = tagKey(place);
    if (this.#tags.has(key)) return this.#tags.get(key);
    return this.#limit(async () => {
      if (this.#tags.has(key)) return this.#tags.get(key);
      const found = await this.#asked(place, () => this.#options.reader.tagDigest(place));
      if ('error' in found) return undefined;
      const digest = found.value ?? null;
      this.#tags.set(key, digest);
      return digest;
    });
  }

  /** Tags are asked for anew. */
  forgetTags(): void {
    this.#tags.clear();
    this.#warnings.clear();
  }

  /** Asks again what is attached to an image: a signature may have come since. @returns whether something has */
  async refreshAttached(facts: ImageFacts): Promise<boolean> {
    const place = placeOf(facts);
    const found = await this.#limit(() =>
      this.#asked(place, async () => {
        const entry = await this.#options.reader.entry({ ...place, digest: facts.digest, registryNamed: true });
        return entry && readAttached(this.#options.reader, entry);
      }),
    );
    if ('error' in found || !found.value || JSON.stringify(found.value) === JSON.stringify(facts.attached))
      return false;
    await this.#keep({ ...facts, attached: found.value });
    return true;
  }

  async #lookUp(digest: string, place: ImageReference | undefined, packages: boolean): Promise<Looked> {
    const cached = this.#known.get(digest) ?? (await this.#cached(digest));
    if (cached) {
      this.#remember(cached);
      if (!packages || !this.#lacksPackages(cached)) return { facts: cached };
    }
    if (place === undefined) return { why: 'its name is not that of an image' };
    this.#lookups++;
    const found = await this.#asked(place, () => this.#read(digest, place, packages));
    if ('error' in found) return cached ? { facts: cached } : { why: found.error.message };
    if (found.value) {
      await this.#keep(found.value);
      return { facts: found.value };
    }
    const where = formatReference({ registry: place.registry, repository: place.repository });
    return cached ? { facts: cached } : { why: `${where} has no ${digest} (any more)` };
  }

  async #read(digest: string, place: ImageReference, packages: boolean): Promise<ImageFacts | undefined> {
    const { reader, layerBytes } = this.#options;
    const entry = await this.#entry(digest, place);
    if (!entry?.platforms[0]) return undefined;
    const facts = await readFacts(reader, entry);
    if (!packages || !this.#lacksPackages(facts)) return facts;
    return withPackages(reader, facts, entry.platforms[0].manifest.layers, { layerBytes });
  }

  /**
   * By its digest. A config's digest is no name of an image, and a manifest's does not tell its index: then by the tag, if that still
   * leads to the same.
   */
  async #entry(digest: string, place: ImageReference): Promise<ImageEntry | undefined> {
    const { reader } = this.#options;
    const direct = await reader.entry({ ...place, digest });
    if (direct && direct.platforms[0]?.descriptor.digest !== direct.root.digest) return direct;
    if (place.tag === undefined) return direct;
    const { digest: _, ...tagged } = place;
    const named = await reader.entry(tagged);
    const leads = named?.platforms.some(
      ({ descriptor, manifest }) => descriptor.digest === digest || manifest.config.digest === digest,
    );
    return leads ? named : direct;
  }

  #lacksPackages(facts: ImageFacts): boolean {
    return facts.packages === 'unread' && this.#options.layerBytes > 0;
  }

  /** What a registry answers; a host that is away is left alone for a while. */
  async #asked<T>(
    { registry, repository }: Pick<ImageReference, 'registry' | 'repository'>,
    ask: () => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly error: InlayError }> {
    const away = this.#away.get(registry);
    if (away && performance.now() < away.until) return { error: away.error };
    try {
      return { value: await ask() };
    } catch (cause) {
      if (isInlayError(cause) && cause.code === 'INTERRUPTED') throw cause;
      const error = isInlayError(cause)
        ? cause
        : new InlayError('REGISTRY_FAILED', `${registry}/${repository}: ${(cause as Error).message}`, { cause });
      if (error.code === 'REGISTRY_UNREACHABLE')
        this.#away.set(registry, { until: performance.now() + AWAY_MS, error });
      const about = error.code === 'REGISTRY_UNREACHABLE' ? registry : `${registry}/${repository}`;
      this.#warnings.set(about, { about, code: error.code, message: error.message, hint: error.hint });
      return { error };
    }
  }

  #remember(facts: ImageFacts): void {
    for (const digest of digestsOf(facts)) this.#known.set(digest, facts);
  }

  async #keep(facts: ImageFacts): Promise<void> {
    this.#remember(facts);
    const { cacheDir } = this.#options;
    try {
      await mkdir(cacheDir, { recursive: true });
      await writeWhole(pathIn(cacheDir, facts.digest), JSON.stringify(facts));
      for (const digest of digestsOf(facts).slice(1))
        if (digest !== facts.digest)
          await writeWhole(pathIn(cacheDir, digest), JSON.stringify({ sameAs: facts.digest }));
    } catch {
      // A full disk costs the next run a look, nothing else.
    }
  }

  async #cached(digest: string): Promise<ImageFacts | undefined> {
    const { cacheDir } = this.#options;
    const json = await readJson(pathIn(cacheDir, digest));
    const other = sameAs(json);
    return imageFactsSchema.safeParse(other === undefined ? json : await readJson(pathIn(cacheDir, other))).data;
  }
}

function tagKey({ registry, repository, tag = 'latest' }: ImageReference): string {
  return `${registry}/${repository}:${tag}`;
}

/** Where an image's facts were read. */
export function placeOf({ repository }: Pick<ImageFacts, 'repository'>): { registry: string; repository: string } {
  const slash = repository.indexOf('/');
  return { registry: repository.slice(0, slash), repository: repository.slice(slash + 1) };
}

function pathIn(dir: string, digest: string): string {
  return join(dir, `${digest.replace(':', '-')}.json`);
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function sameAs(json: unknown): string | undefined {
  return typeof json === 'object' && json !== null && 'sameAs' in json && typeof json.sameAs === 'string'
    ? json.sameAs
    : undefined;
}
