import type { TensorSpec } from '../contract/index.ts';

/** One server as it runs: a role of a workload. Whatever is not known is null; `unknown` says which parts could not be found out. */
export interface ServerRow {
  /** The kubeconfig's name for the cluster. */
  readonly context: string;
  readonly namespace: string;
  readonly service: string;
  /** Null for a server that inlay did not deploy. */
  readonly role: 'stable' | 'canary' | null;
  readonly workload: { readonly kind: WorkloadKind; readonly name: string };
  readonly replicas: { readonly ready: number; readonly desired: number };
  /** Of all its pods together. */
  readonly restarts: number;
  /** Of a canary: fractions of the requests. */
  readonly weight: { readonly asked: number; readonly achieved: number | null } | null;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string } | null;
  readonly task: string | null;
  readonly inputs: readonly TensorSpec[] | null;
  readonly outputs: readonly TensorSpec[] | null;
  readonly labels: readonly string[] | null;
  /** `debian 12` */
  readonly os: string | null;
  /** Name to version. */
  readonly libraries: Readonly<Record<string, string>>;
  /** The inlay that built the image. */
  readonly inlay: string | null;
  readonly owner: string | null;
  readonly image: {
    /** As the workload names it. */
    readonly reference: string;
    /** What the node says that it runs: of an index, a manifest or a config, as runtimes differ. */
    readonly digest: string | null;
    /** Digest of the index, which leads to the image's page. */
    readonly index: string | null;
  };
  readonly source: { readonly repository?: string; readonly commit: string; readonly dirty: boolean } | null;
  readonly trainingRun: string | null;
  /** Whether a signature is attached; `inlay verify` checks it. */
  readonly signed: boolean | null;
  /** When the workload was made. RFC 3339, as all times here. */
  readonly firstSeen: string | null;
  /** When what runs now was rolled out. */
  readonly rolledOut: string | null;
  /** The same, or where that is not known when the workload was made. */
  readonly since: string | null;
  /** What the release says of it, where inlay made one. */
  readonly release: ReleaseNote | null;
  readonly drift: readonly Drift[];
  /** What could not be found out, by the name of the field, and why. */
  readonly unknown: Readonly<Record<string, string>>;
}

/** Deployment, StatefulSet, DaemonSet; of pods that belong to none the kind of whatever owns them, or Pod. */
export type WorkloadKind = string;

/** Who let it run, and why. */
export interface ReleaseNote {
  readonly number: number;
  readonly actor: string;
  readonly kind: 'release' | 'rollback';
  readonly state: 'running' | 'paused' | 'backing-out' | 'ended';
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | null;
  readonly reason: string | null;
  /** Since when it waits for somebody to decide. */
  readonly waitingSince: string | null;
}

export type DriftKind = 'tag-moved' | 'differs-from-applied' | 'contract-missing' | 'mixed' | 'not-inlay';

/** Something that is not as it should be. */
export interface Drift {
  readonly kind: DriftKind;
  readonly message: string;
}

/** Something that could not be read; rows have unknown parts for it. */
export interface Warning {
  readonly about: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What runs, everywhere that was asked. */
export interface Inventory {
  readonly schemaVersion: 1;
  readonly observedAt: string;
  readonly servers: readonly ServerRow[];
  readonly warnings: readonly Warning[];
}
