import pLimit from 'p-limit';
import type { Descriptor } from '../image/index.ts';
import { remoteBlob } from './blob/download.ts';
import { hasBlob, uploadBlob } from './blob/upload.ts';
import { mountBlob } from './blob/upload-session.ts';
import { walkImage } from './image-graph.ts';
import { getManifest, hasManifest, type Manifest, putManifest, requireManifest } from './manifest/manifests.ts';
import { putReferrer, readReferrers } from './manifest/referrers.ts';
import { DEFAULTS } from './options.ts';
import { Meter, type Moved } from './progress.ts';
import type { PushOptions, PushResult } from './push.ts';
import { formatReference, type ImageReference, identifierOf } from './reference.ts';
import type { Repository } from './repository.ts';
import { guardTag } from './tag-guard.ts';

/** As for a push, but from another repository. */
export type CopyOptions = Omit<PushOptions, 'layout' | 'source'> & { readonly from: ImageReference };

/** cosign's older way of attaching: tags of the subject's digest (cosign, SIGNATURE_SPEC.md). */
const COSIGN_SUFFIXES = ['sig', 'att', 'sbom'];

/**
 * Copies an image byte for byte from repository to repository, with what is attached to it; nothing touches this machine's disk.
 * In one registry blobs are mounted, not sent. Tags come last.
 * @throws TAG_EXISTS, REGISTRY_NOT_FOUND, INTEGRITY_MISMATCH, INTERRUPTED, and those of every request
 */
export async function copyImage(options: CopyOptions): Promise<PushResult> {
  const { registry, from, to, signal } = options;
  const same = from.registry === to.registry;
  // A login from the environment is for where one writes, unless both are one registry.
  const source = registry.open(from, { actions: ['pull'], useEnvironment: same, signal });
  const alsoPull = same ? [from.repository] : [];
  const target = registry.open(to, { actions: ['pull', 'push'], alsoPull, signal });
  return new Copy(options, source, target, same && from.repository !== to.repository).run();
}

class Copy {
  readonly #options: CopyOptions;
  readonly #source: Repository;
  readonly #target: Repository;
  readonly #mount: boolean;
  readonly #meter: Meter;
  readonly #moved = new Map<string, Moved>();
  readonly #referrers: string[] = [];

  constructor(options: CopyOptions, source: Repository, target: Repository, mount: boolean) {
    this.#options = options;
    this.#source = source;
    this.#target = target;
    this.#mount = mount;
    this.#meter = new Meter(options.onProgress);
  }

  async run(): Promise<PushResult> {
    const { from, to, force = false } = this.#options;
    const root = await requireManifest(this.#source, identifierOf(from));
    const { digest } = root.descriptor;
    const tags = [...new Set([...(to.tag === undefined ? [] : [to.tag]), ...(this.#options.tags ?? [])])];
    for (const tag of tags) await guardTag(this.#target, tag, digest, force);
    await this.#copyTree(root, () => this.#store(root));
    for (const tag of tags) {
      await guardTag(this.#target, tag, digest, force);
      await putManifest(this.#target, tag, root);
    }
    const which = (how: Moved) => [...this.#moved].filter(([, moved]) => moved === how).map(([key]) => key);
    return {
      reference: formatReference({ ...to, digest }),
      digest,
      uploaded: which('sent'),
      mounted: which('mounted'),
      existing: which('there'),
      referrers: this.#referrers,
      sentBytes: this.#target.sentBytes,
    };
  }

  /** An image, then what is attached to each of its manifests. @param put stores the root */
  async #copyTree(root: Manifest, put: () => Promise<unknown>): Promise<void> {
    const graph = await walkImage(root, ({ digest }) => requireManifest(this.#source, digest));
    for (const blob of graph.blobs) if (!this.#moved.has(blob.digest)) this.#meter.expect(blob.size);
    const limit = pLimit(this.#target.options.concurrency ?? DEFAULTS.concurrency);
    const failures: unknown[] = [];
    await Promise.all(
      graph.blobs.map((blob) =>
        limit(async () => {
          if (failures.length === 0 && !this.#moved.has(blob.digest)) await this.#copyBlob(blob);
        }).catch((error) => failures.push(error)),
      ),
    );
    if (failures.length > 0) throw failures[0];
    for (const child of graph.children) await this.#store(child);
    await put();
    for (const manifest of [root, ...graph.children]) await this.#copyAttached(manifest.descriptor.digest);
  }

  async #copyBlob(blob: Descriptor): Promise<void> {
    const { digest, size } = blob;
    if (await hasBlob(this.#target, digest, size)) return this.#finish(blob, 'there');
    const mount = this.#mount ? await mountBlob(this.#target, digest, this.#source.name) : undefined;
    if (mount?.mounted) return this.#finish(blob, 'mounted');
    await uploadBlob(this.#target, remoteBlob(this.#source, blob), {
      session: mount?.session,
      onBytes: (count) => this.#meter.moved(count),
    });
    this.#finish(blob, 'sent');
  }

  #finish(blob: Descriptor, how: Moved): void {
    this.#moved.set(blob.digest, how);
    this.#meter.finished(blob.digest, blob.size, how);
  }

  async #store(manifest: Manifest): Promise<void> {
    const { digest } = manifest.descriptor;
    const there = await hasManifest(this.#target, digest);
    if (!there) await putManifest(this.#target, digest, manifest);
    this.#moved.set(digest, there ? 'there' : 'sent');
  }

  /** Referrers of a manifest, which may have referrers themselves, and cosign's tags. */
  async #copyAttached(subject: string): Promise<void> {
    const { referrers } = await readReferrers(this.#source, subject);
    for (const { digest } of referrers) {
      if (this.#referrers.includes(digest)) continue;
      this.#referrers.push(digest);
      // A list that clients keep may name what has been deleted.
      const referrer = await getManifest(this.#source, digest);
      // Also one that is there already may lack its place in the list: a copy may have ended between the two.
      if (referrer) await this.#copyTree(referrer, () => putReferrer(this.#target, referrer, subject));
    }
    for (const suffix of COSIGN_SUFFIXES) {
      const tag = `${subject.replace(':', '-')}.${suffix}`;
      const attached = await getManifest(this.#source, tag);
      if (!attached) continue;
      this.#referrers.push(attached.descriptor.digest);
      await this.#copyTree(attached, () => putManifest(this.#target, tag, attached));
    }
  }
}
