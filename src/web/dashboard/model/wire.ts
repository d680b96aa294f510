// What the hub's API answers with (docs/hub.md), as far as the dashboard reads it. The hub's code is held to these types.
import type { Contract, TensorSpec } from '../../../contract/index.ts';

/** A server as one line of a list; times are RFC 3339, weights fractions. */
export interface BriefRow {
  readonly id: string;
  readonly context: string;
  readonly namespace: string;
  readonly service: string;
  readonly role: 'stable' | 'canary' | null;
  readonly kind: string;
  readonly workload: string;
  readonly ready: number;
  readonly desired: number;
  readonly restarts: number;
  readonly weight: { readonly asked: number; readonly achieved: number | null } | null;
  readonly model: string | null;
  readonly version: string | null;
  readonly reference: string;
  /** Of the index, where the image is known. */
  readonly index: string | null;
  readonly owner: string | null;
  readonly signed: boolean | null;
  readonly since: string | null;
  readonly drift: readonly { readonly kind: string; readonly message: string }[];
  /** Of a release under way: its state. */
  readonly release: { readonly state: string; readonly actor: string; readonly reason: string | null } | null;
  /** Why the image could not be read. */
  readonly unknown?: string;
  /** Of the library that was asked for. */
  readonly library?: string;
  /** Of the past: false where nobody watched then. */
  readonly observed?: boolean;
}

export interface NowAnswer {
  readonly observedAt: string;
  readonly revision: number;
  readonly total: number;
  readonly servers: readonly BriefRow[];
}

export interface AtAnswer {
  readonly at: string;
  readonly observed: boolean;
  /** Clusters that nobody watched then. */
  readonly warnings: readonly { readonly about: string; readonly code: string; readonly message: string }[];
  readonly total: number;
  readonly servers: readonly BriefRow[];
}

export interface ServersEvent {
  readonly revision: number;
  readonly changed: readonly BriefRow[];
  readonly removed: readonly string[];
}

export interface Facet {
  readonly value: string;
  readonly count: number;
}

export interface FacetsAnswer {
  readonly models: readonly Facet[];
  readonly owners: readonly Facet[];
  readonly libraries: readonly Facet[];
}

export interface IntervalAnswer {
  readonly context: string;
  readonly namespace: string;
  readonly service: string;
  readonly role: string | null;
  readonly workload: string;
  readonly version: string | null;
  readonly model: string | null;
  readonly digest: string | null;
  readonly image: string | null;
  readonly reference: string;
  readonly owner: string | null;
  readonly drift: readonly string[];
  readonly startedAt: string;
  readonly observedFrom: string;
  readonly observedTo: string | null;
  readonly actor: string | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly release: number | null;
}

export interface ReleaseAnswer {
  readonly number: number;
  readonly kind: string;
  readonly version: string;
  readonly digest: string;
  readonly actor: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly outcome: string | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly state: string;
}

export interface TimelineAnswer {
  readonly intervals: readonly IntervalAnswer[];
  readonly gaps: readonly { readonly from: string; readonly to: string }[];
  readonly releases: readonly ReleaseAnswer[];
}

export interface ImageAnswer {
  readonly digest: string;
  readonly repository: string;
  readonly platforms: readonly { readonly platform: string; readonly manifest: string }[];
  readonly builtBy: 'inlay' | 'other';
  readonly model: { readonly name: string; readonly version: string; readonly digest: string } | null;
  readonly task: string | null;
  readonly inputs: readonly Pick<TensorSpec, 'name' | 'shape'>[] | null;
  readonly outputs: readonly Pick<TensorSpec, 'name' | 'shape'>[] | null;
  readonly labels: readonly string[] | null;
  readonly owner: string | null;
  readonly os: string | null;
  readonly libraries: Readonly<Record<string, string>>;
  readonly inlay: string | null;
  readonly created: string | null;
  readonly sizeBytes: number;
  readonly layers: readonly { readonly kind: string; readonly digest: string; readonly sizeBytes: number }[];
  readonly packages: string;
  readonly attached: {
    readonly signed: boolean;
    readonly source: { readonly repository?: string; readonly commit: string; readonly dirty: boolean } | null;
    readonly trainingRun: string | null;
  };
}

export interface VersionAnswer {
  readonly image: ImageAnswer;
  readonly contract: Partial<Contract> | null;
  readonly contractUnknown?: string;
  readonly running: readonly BriefRow[];
  readonly ran: readonly IntervalAnswer[];
}

export interface CompareAnswer {
  readonly a: ImageAnswer;
  readonly b: ImageAnswer;
  readonly changes: readonly { readonly what: string; readonly from: unknown; readonly to: unknown }[];
}

export interface ListedImage {
  readonly digest: string;
  readonly repository: string;
  readonly model: { readonly name: string; readonly version: string } | null;
  readonly os: string | null;
  readonly inlay: string | null;
  readonly owner: string | null;
  readonly signed: boolean;
  readonly sizeBytes: number;
  readonly created: string | null;
  readonly running: number;
}

export interface ImagesAnswer {
  readonly total: number;
  readonly images: readonly ListedImage[];
}

export interface StorageAnswer {
  readonly readAt: string;
  readonly repositories: readonly {
    readonly repository: string;
    readonly tags: number;
    readonly images: number;
    readonly sizeBytes: number;
    readonly sharedBytes: number;
    readonly running: number;
    readonly left?: number;
    readonly error?: string;
  }[];
}

export interface StoragePoint {
  readonly at: string;
  readonly repository: string;
  readonly tags: number;
  readonly images: number;
  readonly sizeBytes: number;
  readonly prunableImages: number;
  readonly prunableBytes: number;
}

/** Oldest first. */
export interface StorageHistoryAnswer {
  readonly points: readonly StoragePoint[];
}

export interface PruneAnswer {
  readonly plannedAt: string;
  readonly freeBytes: number;
  /** Why nothing of it may be done. */
  readonly gaps: readonly {
    readonly about: string;
    readonly code: string;
    readonly message: string;
    readonly hint?: string | undefined;
  }[];
  readonly repositories: readonly {
    readonly repository: string;
    readonly keeps: number;
    readonly drops: number;
    readonly sizeBytes: number;
    readonly freeBytes: number;
  }[];
  readonly total: number;
  readonly images: readonly {
    readonly verdict: 'keep' | 'drop';
    readonly reference: string;
    readonly digest: string;
    readonly sizeBytes: number;
    readonly reasons: readonly { readonly code: string; readonly detail: string }[];
  }[];
}

export interface StatusAnswer {
  readonly version: string;
  readonly writer: boolean;
  readonly database: string;
  readonly startedAt: string;
  readonly clusters: readonly {
    readonly context: string;
    readonly uid: string | null;
    readonly state: string;
    readonly lastObservedAt: string | null;
    readonly scanSeconds: number | null;
    readonly servers: number;
    readonly error: string | null;
  }[];
  readonly registries: readonly {
    readonly about: string;
    readonly code: string;
    readonly message: string;
    readonly hint?: string | undefined;
  }[];
}
