import type { Descriptor } from '../image/index.ts';
import type { RegistryAnswer } from './failure.ts';
import { discard } from './http/answer-body.ts';
import { getManifest, hasManifest, headTag, type Manifest, storedAt } from './manifest/manifests.ts';
import { readReferrers } from './manifest/referrers.ts';
import { readEveryTag } from './manifest/tags.ts';
import { formatReference, type ImageReference } from './reference.ts';
import type { Registry } from './registry.ts';
import type { Action, Repository } from './repository.ts';

/** What a tag names. */
export interface TaggedDigest {
  readonly digest: string;
  /** When the registry says that it was stored, ms since 1970. */
  readonly storedAt: number | undefined;
}

/**
 * What became of a manifest that was to go. `untagged`: the registry takes away tags alone, and manifests without tags by its own
 * collection; `absent`: it was not there.
 */
export type Erased = 'deleted' | 'untagged' | 'absent';

/** No manifest has this digest, so asking to delete it changes nothing. */
const NOTHING = `sha256:${'0'.repeat(64)}`;
const REFUSALS = [400, 405, 409, 412];

/** One repository with all that it holds: read without gaps, and taken out of it. One login for all of that. */
export class RepositoryStock {
  /** `registry/repository` */
  readonly name: string;
  readonly #repository: Repository;
  /** Once a tag went where its manifest would not. */
  #tagsAlone = false;

  /** @param actions `delete` too where something is to go */
  constructor(
    registry: Registry,
    place: Pick<ImageReference, 'registry' | 'repository'>,
    { actions = ['pull'], signal }: { readonly actions?: readonly Action[]; readonly signal?: AbortSignal | undefined },
  ) {
    this.name = formatReference({ registry: place.registry, repository: place.repository });
    this.#repository = registry.open(place, { actions, signal });
  }

  /** Every tag; undefined where there is no such repository. @throws REGISTRY_FAILED for a list that is cut off */
  tags(): Promise<ReadonlySet<string> | undefined> {
    return readEveryTag(this.#repository);
  }

  /** What time it is for the registry, ms since 1970; undefined where it does not say. */
  async time(): Promise<number | undefined> {
    const response = await this.#repository.request({
      step: 'asking what time it is',
      method: 'GET',
      target: 'tags/list?n=1',
      expect: [200, 404],
    });
    await discard(response);
    const at = Date.parse(response.headers.get('date') ?? '');
    return Number.isNaN(at) ? undefined : at;
  }

  /** A manifest by tag or digest; undefined where there is none. @throws IMAGE_INVALID for what is neither image nor index */
  manifest(identifier: string): Promise<Manifest | undefined> {
    return getManifest(this.#repository, identifier);
  }

  has(digest: string): Promise<boolean> {
    return hasManifest(this.#repository, digest);
  }

  /** What a tag names now; undefined where there is no such tag. A HEAD, which rate limits do not count. */
  async tagged(tag: string): Promise<TaggedDigest | undefined> {
    const response = await headTag(this.#repository, tag);
    if (!response) return undefined;
    const digest = response.headers.get('docker-content-digest');
    if (digest?.startsWith('sha256:')) return { digest, storedAt: storedAt(response) };
    const manifest = await getManifest(this.#repository, tag);
    return manifest && { digest: manifest.descriptor.digest, storedAt: manifest.storedAt };
  }

  /** What is attached to a manifest, as the registry or a tag lists it. */
  async referrers(digest: string): Promise<{ readonly referrers: readonly Descriptor[]; readonly api: boolean }> {
    return readReferrers(this.#repository, digest);
  }

  /**
   * Asks for the deletion of what is not there: whether this login may delete is known before anything is gone. A registry that refuses the
   * way itself may still take away tags: that is seen at the first image.
   * @throws REGISTRY_UNAUTHORIZED
   */
  async mayDelete(): Promise<boolean> {
    const response = await this.#delete(NOTHING, 'asking whether it deletes', [404, ...REFUSALS]);
    await discard(response);
    return response.ok || response.status === 404;
  }

  /**
   * Takes a manifest away with its tags. Registries differ: with the digest the tags go too (distribution), or stay (go-containerregistry), or
   * have to go before (Artifact Registry), or are all that can go.
   * @param tags those that name it now @throws REGISTRY_UNSUPPORTED where nothing can be deleted, REGISTRY_UNAUTHORIZED
   */
  async erase(digest: string, tags: readonly string[]): Promise<Erased> {
    const step = `deleting ${digest}`;
    const refused = await this.#eraseDigest(digest, step);
    if (!refused) {
      await this.#eraseTags(digest, tags, step);
      return 'deleted';
    }
    if (refused === 'absent') return 'absent';
    await this.#eraseTags(digest, tags, step);
    const again = tags.length === 0 ? refused : await this.#eraseDigest(digest, step);
    if (again === undefined) return 'deleted';
    if (again === 'absent' || (tags.length > 0 && !(await this.has(digest)))) return 'deleted';
    this.#tagsAlone ||= tags.length > 0;
    if (this.#tagsAlone) return 'untagged';
    throw this.#unsupported(step, again);
  }

  /** @returns undefined when it is gone, else why not */
  async #eraseDigest(digest: string, step: string): Promise<RegistryAnswer | 'absent' | undefined> {
    const response = await this.#delete(digest, step, [404, ...REFUSALS]);
    if (response.status === 404) {
      await discard(response);
      return 'absent';
    }
    return this.#refusal(response);
  }

  /** Tags that still name the manifest. */
  async #eraseTags(digest: string, tags: readonly string[], step: string): Promise<void> {
    for (const tag of tags) {
      if ((await this.tagged(tag))?.digest !== digest) continue;
      const kept = await this.#eraseTag(tag);
      if (kept) throw this.#unsupported(step, kept);
    }
  }

  async #eraseTag(tag: string): Promise<RegistryAnswer | undefined> {
    const response = await this.#delete(tag, `deleting tag ${tag}`, [404, ...REFUSALS]);
    return response.status === 404 ? void (await discard(response)) : this.#refusal(response);
  }

  async #refusal(response: Response): Promise<RegistryAnswer | undefined> {
    if (!response.ok) return this.#repository.answer(response);
    await discard(response);
    return undefined;
  }

  #delete(identifier: string, step: string, expect: readonly number[]): Promise<Response> {
    return this.#repository.request({
      step,
      method: 'DELETE',
      target: `manifests/${identifier}`,
      expect: [202, 200, 204, ...expect],
    });
  }

  #unsupported(step: string, { status, text }: RegistryAnswer) {
    const { host } = this.#repository;
    return this.#repository.failure('REGISTRY_UNSUPPORTED', step, `the registry answered ${status} ${text}`.trim(), {
      hint: `${host} deletes neither manifests nor tags for this login: switched off (Docker's registry: REGISTRY_STORAGE_DELETE_ENABLED=true), or done by rules of its own. Ask who runs it.`,
    });
  }
}
