export { clusterIdentity } from './cluster/identity.ts';
export { Hub, type HubOptions, type HubRow } from './hub/hub.ts';
export { hubManifests } from './hub/manifests.ts';
export { type PreviewOptions, type PrunePreview, PruneWatch } from './hub/prune-preview.ts';
export { type HubServer, serveHub } from './hub/serve.ts';
export { Catalogue, type CatalogueOptions } from './image/catalogue.ts';
export type { ImageFacts } from './image/facts.ts';
export { type RunningImage, runningImage } from './image/image-id.ts';
export {
  type Interval,
  Ledger,
  type PastInventory,
  type PastRow,
  type StoragePoint,
  type Timeline,
} from './ledger/ledger.ts';
export { databaseName, openLedger } from './ledger/open.ts';
export { recordScan } from './ledger/record-scan.ts';
export { type LibraryQuery, parseLibraryQuery } from './question/library-query.ts';
export { answers, parseAge, parsePastTime, parseTime, type Question } from './question/question.ts';
export { compareDebian, compareVersions } from './question/version-order.ts';
export type { Drift, DriftKind, Inventory, ReleaseNote, ServerRow, Warning, WorkloadKind } from './row.ts';
export { byPlace, type Scan, type ScanOptions, scan } from './scan/scan.ts';
