export { Clusters, type ClustersOptions, type KnownCluster } from './cluster/clusters.ts';
export { type CronJobOptions, pruneObjects } from './cron-job.ts';
export { freed, freedBytes } from './decide/free.ts';
export { type MarkedRepository, mark, type Reason } from './decide/mark.ts';
export { type Step, sweepOrder } from './decide/order.ts';
export { compareVersionsOfTags, compareVersionTags, isVersionTag, versionOf } from './decide/version-order.ts';
export {
  type Blob,
  DEFAULT_POLICY,
  KEEP_CODES,
  type KeepCode,
  type ManifestFacts,
  type Policy,
  type RepositoryState,
  type Use,
  type World,
} from './decide/world.ts';
export {
  type Declaration,
  joined,
  projectDeclaration,
  readDeclaration,
  repositoryName,
  type Target,
  undeclared,
} from './declaration.ts';
export {
  type AgedFolder,
  type DroppedImage,
  type PlannedImage,
  type PruneDocument,
  type StoreDocument,
  storeDocument,
} from './document.ts';
export type { Gap } from './gap.ts';
export { lockUses } from './locks.ts';
export { DECLARATION_FILE, mountedDeclaration } from './mounted-declaration.ts';
export { type Plan, type PlanOptions, planPrune } from './plan.ts';
export { oldEnvironments, removeEnvironments } from './store/environments.ts';
export type { OldFolder } from './store/old-folder.ts';
export { planStore, type StorePlan } from './store/plan-store.ts';
export { readStore, type StoreState } from './store/read-store.ts';
export { oldRootFileSystems, removeRootFileSystems } from './store/root-file-systems.ts';
export { sweepStore } from './store/sweep-store.ts';
export { refuseGaps, type SweepOptions, type SweepResult, type SweptManifest, sweep } from './sweep/sweep.ts';
