import type { BuildFlags } from '../build-project.ts';
import type { ClusterFlags } from '../cluster.ts';

/** The options of `inlay release`. */
export interface ReleaseFlags extends BuildFlags, ClusterFlags {
  readonly env?: string | undefined;
  readonly until?: string | undefined;
  readonly dryRun?: true | undefined;
  /** False for --no-train. */
  readonly train: boolean;
  readonly retrain?: true | undefined;
  readonly sign?: string | undefined;
  readonly engine?: string | undefined;
  readonly bake?: string | undefined;
  readonly direct?: true | undefined;
  readonly allowBreaking?: true | undefined;
  readonly forceConflicts?: true | undefined;
  readonly database?: string | undefined;
  readonly summary?: string | undefined;
}
