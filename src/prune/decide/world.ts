/** A piece of storage: a config, a layer, or a manifest itself. */
export interface Blob {
  readonly digest: string;
  /** Compressed, bytes. */
  readonly size: number;
}

/** What has to be known of a manifest to decide about it. */
export interface ManifestFacts {
  readonly digest: string;
  /** Of the manifest itself, bytes. */
  readonly size: number;
  /** Digests of the manifests that it names, for an index; they need not be there. */
  readonly children: readonly string[];
  /** Config and layers. */
  readonly blobs: readonly Blob[];
  /** What it is attached to. */
  readonly subject?: string | undefined;
  /** The image that it was built on (org.opencontainers.image.base.digest). */
  readonly base?: string | undefined;
}

/** All that is known to be in a repository of a registry, or in the local store under one name. */
export interface RepositoryState {
  /** `registry.example.com/ml/iris` */
  readonly name: string;
  /** What stores a blob once, however many of its repositories have it: a registry's host. */
  readonly storage: string;
  /** Tag to digest. */
  readonly tags: ReadonlyMap<string, string>;
  /** Manifests that are there: named by tags, by each other, or known from before. */
  readonly manifests: ReadonlyMap<string, ManifestFacts>;
  /** By digest, since when it is proven to be there, ms since 1970. What has no proof is new. */
  readonly since: ReadonlyMap<string, number>;
}

/** Why an image stays, strongest first; docs/prune.md tells each. */
export const KEEP_CODES = [
  'RUNS',
  'COULD_RUN',
  'RELEASE',
  'ROLLBACK',
  'LOCKED',
  'BASE',
  'KEPT_TAG',
  'LAST_VERSIONS',
  'NEW',
  'ATTACHED',
] as const;
export type KeepCode = (typeof KEEP_CODES)[number];

/** Something that names an image: a workload, a release in a journal, a lock. It protects by digest, by tag, or both. */
export interface Use {
  readonly code: Extract<KeepCode, 'RUNS' | 'COULD_RUN' | 'RELEASE' | 'ROLLBACK' | 'LOCKED'>;
  /** Of an index, a manifest or a config. */
  readonly digest?: string | undefined;
  /** The repository's path that goes with the digest, where it is said. */
  readonly path?: string | undefined;
  /** The path and tag of a name without a digest; hosts are left out, as a registry has many names. */
  readonly tag?: { readonly repository: string; readonly tag: string } | undefined;
  /** What names it, for people: `prod: ml/Deployment/iris`. */
  readonly by: string;
}

/** What is kept beside what is in use. */
export interface Policy {
  readonly keepLast: number;
  readonly graceMs: number;
  /** Globs. */
  readonly keepTags: readonly string[];
}

export const DEFAULT_POLICY: Policy = { keepLast: 3, graceMs: 30 * 86_400_000, keepTags: [] };

/** Everything that a decision is made from; no clock, no network. */
export interface World {
  /** Ms since 1970. */
  readonly now: number;
  readonly repositories: readonly RepositoryState[];
  readonly uses: readonly Use[];
  /** By repository. */
  readonly policies: ReadonlyMap<string, Policy>;
}
