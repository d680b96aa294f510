import pLimit from 'p-limit';
import type { Descriptor, OciLayout } from '../image/index.ts';
import { layoutBlob } from './blob/blob-source.ts';
import { remoteBlob } from './blob/download.ts';
import { hasBlob, uploadBlob } from './blob/upload.ts';
import { mountBlob } from './blob/upload-session.ts';
import { graphInLayout, type LocalGraph } from './image-graph.ts';
import { hasManifest, type Manifest, putManifest } from './manifest/manifests.ts';
import { neighbourBlobs } from './neighbour.ts';
import { DEFAULTS } from './options.ts';
import { Meter, type Moved, type OnProgress } from './progress.ts';
import { pushAttached } from './push-attached.ts';
import { formatReference, type ImageReference } from './reference.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';
import { type Siblings, siblingsInLayout } from './siblings.ts';
import { guardTag } from './tag-guard.ts';

export interface PushOptions {
  readonly registry: Registry;
  readonly layout: OciLayout;
  /** The image in the layout: a name, or a digest. */
  readonly source: string;
  readonly to: ImageReference;
  /** Further tags besides that of `to`. */
  readonly tags?: readonly string[];
  /** Overwrites tags that name other images. */
  readonly force?: boolean;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushResult {
  readonly reference: string;
  /** Of what was pushed: an index, or a manifest. */
  readonly digest: string;
  /** Blobs and manifests that were sent. */
  readonly uploaded: readonly string[];
  readonly mounted: readonly string[];
  readonly existing: readonly string[];
  /** Digests of what is attached to the image and its platforms, whether it was sent or there. */
  readonly referrers: readonly string[];
  /** All bytes of all request bodies, what was sent twice included. */
  readonly sentBytes: number;
}

/** Smaller blobs are sent without asking: an upload takes as many requests as the question and its answer "no". */
const ASK_BYTES = 32 * 1024;

/**
 * Pushes an image from a layout: blobs, then manifests, then tags, so that a tag never names an image with missing parts.
 * Sends only what the registry lacks; run again after an interruption, it goes on.
 * @throws TAG_EXISTS, IMAGE_NOT_FOUND, IMAGE_INVALID, INTEGRITY_MISMATCH, INTERRUPTED, and those of every request
 */
export async function pushImage(options: PushOptions): Promise<PushResult> {
  const { registry, layout, to, signal } = options;
  const graph = await graphInLayout(layout, options.source);
  const wanted = new Set(graph.blobs.map(({ digest }) => digest));
  const siblings = new Map(await siblingsInLayout(layout, to.registry, to.repository, wanted));
  for (const [digest, base] of graph.below)
    if (base.registry === to.registry && base.repository !== to.repository) siblings.set(digest, [base.repository]);
  const repository = registry.open(to, {
    actions: ['pull', 'push'],
    alsoPull: [...siblings.values()].flatMap((known) => known.slice(0, 1)),
    signal,
  });
  return new Push(options, graph, siblings, repository).run();
}

class Push {
  readonly #options: PushOptions;
  readonly #graph: LocalGraph;
  readonly #siblings: Siblings;
  readonly #repository: Repository;
  readonly #meter: Meter;
  readonly #moved = new Map<string, Moved>();

  constructor(options: PushOptions, graph: LocalGraph, siblings: Siblings, repository: Repository) {
    this.#options = options;
    this.#graph = graph;
    this.#siblings = siblings;
    this.#repository = repository;
    this.#meter = new Meter(options.onProgress);
  }

  async run(): Promise<PushResult> {
    const { to, layout, force = false } = this.#options;
    const { root, children, blobs } = this.#graph;
    const { digest } = root.descriptor;
    const tags = [...new Set([...(to.tag === undefined ? [] : [to.tag]), ...(this.#options.tags ?? [])])];
    const current: (Manifest | undefined)[] = [];
    for (const tag of tags) current.push(await guardTag(this.#repository, tag, digest, force));

    for (const blob of blobs) this.#meter.expect(blob.size);
    // Where a tag names this very image already, someone pushes again to be sure: then nothing is taken on trust.
    const again = current.some((manifest) => manifest?.descriptor.digest === digest);
    const proven = again ? new Set<string>() : await neighbourBlobs(this.#repository, current.find(Boolean));
    await this.#sendBlobs(blobs, proven, again);
    for (const child of children) await this.#sendManifest(child, again);
    // Before the tag: who lets in only what is signed must never meet a tag whose signature is on its way. A registry has to take
    // a referrer before its subject (distribution-spec, "Pushing Manifests with Subject").
    const referrers = await pushAttached(this.#repository, layout, [...children, root]);

    // The tag may have been taken while the blobs went up.
    for (const [i, tag] of tags.entries())
      if (!current[i] && this.#sentAnything()) await guardTag(this.#repository, tag, digest, force);
    if (tags.length === 0) await this.#put(root.descriptor.digest, root);
    for (const [i, tag] of tags.entries())
      if (current[i]?.descriptor.digest !== digest || this.#sentAnything()) await this.#put(tag, root);
      else this.#finish(root.descriptor, 'there');
    const which = (how: Moved) => [...this.#moved].filter(([, moved]) => moved === how).map(([key]) => key);
    return {
      reference: formatReference({ ...to, digest }),
      digest,
      uploaded: which('sent'),
      mounted: which('mounted'),
      existing: which('there'),
      referrers,
      sentBytes: this.#repository.sentBytes,
    };
  }

  async #sendBlobs(blobs: readonly Descriptor[], proven: ReadonlySet<string>, askAll: boolean): Promise<void> {
    const limit = pLimit(this.#repository.options.concurrency ?? DEFAULTS.concurrency);
    const failures: unknown[] = [];
    await Promise.all(
      blobs.map((blob) =>
        limit(async () => {
          // After a failure nothing new is begun; what is under way ends by itself, so that nothing goes on unseen.
          if (failures.length > 0) return;
          await this.#sendBlob(blob, proven.has(blob.digest), askAll).catch((error) => failures.push(error));
        }),
      ),
    );
    if (failures.length > 0) throw failures[0];
  }

  async #sendBlob(blob: Descriptor, proven: boolean, askAlways: boolean): Promise<void> {
    const { digest, size } = blob;
    if (proven) return this.#finish(blob, 'there');
    const from = this.#siblings.get(digest)?.[0];
    const ask = askAlways || size >= ASK_BYTES || from !== undefined;
    if (ask && (await hasBlob(this.#repository, digest, size))) return this.#finish(blob, 'there');
    const mount = from === undefined ? undefined : await mountBlob(this.#repository, digest, from);
    if (mount?.mounted) return this.#finish(blob, 'mounted');
    const base = this.#graph.elsewhere.get(digest);
    const { registry, layout, signal } = this.#options;
    const source = base
      ? remoteBlob(registry.open(base, { actions: ['pull'], signal }), blob)
      : layoutBlob(layout, blob);
    await uploadBlob(this.#repository, source, {
      session: mount?.session,
      onBytes: (count) => this.#meter.moved(count),
    });
    this.#finish(blob, 'sent');
  }

  async #sendManifest(manifest: Manifest, ask: boolean): Promise<void> {
    const { digest } = manifest.descriptor;
    if (ask && (await hasManifest(this.#repository, digest))) this.#finish(manifest.descriptor, 'there');
    else await this.#put(digest, manifest);
  }

  /** Stores a manifest; where the registry lacks a blob that it had claimed, all are asked for one by one, once. */
  async #put(identifier: string, manifest: Manifest): Promise<void> {
    let { missingBlobs } = await putManifest(this.#repository, identifier, manifest);
    if (missingBlobs) {
      await this.#sendBlobs(this.#graph.blobs, new Set(), true);
      for (const child of this.#graph.children)
        if (child !== manifest && this.#moved.has(child.descriptor.digest))
          await putManifest(this.#repository, child.descriptor.digest, child);
      ({ missingBlobs } = await putManifest(this.#repository, identifier, manifest));
    }
    if (missingBlobs)
      throw this.#repository.failure(
        'REGISTRY_FAILED',
        `storing ${identifier}`,
        'the registry says that blobs are missing which it has just taken',
        { hint: `Run it again; if it stays, the storage of ${this.#repository.host} is damaged.` },
      );
    this.#finish(manifest.descriptor, 'sent');
  }

  #finish(descriptor: Descriptor, how: Moved): void {
    // Asked for again in a second round, what was sent is there: it was sent all the same.
    if (how === 'there' && this.#moved.get(descriptor.digest) === 'sent') return;
    this.#moved.set(descriptor.digest, how);
    if (!this.#graph.blobs.some(({ digest }) => digest === descriptor.digest)) return;
    this.#meter.finished(descriptor.digest, descriptor.size, how);
  }

  #sentAnything(): boolean {
    return [...this.#moved.values()].includes('sent');
  }
}
