export { Catalogue, type CatalogueOptions } from './image/catalogue.ts';
export type { ImageFacts } from './image/facts.ts';
export { type LibraryQuery, parseLibraryQuery } from './question/library-query.ts';
export { answers, parseAge, parseTime, type Question } from './question/question.ts';
export { compareDebian, compareVersions } from './question/version-order.ts';
export type { Drift, DriftKind, Inventory, ReleaseNote, ServerRow, Warning, WorkloadKind } from './row.ts';
export { byPlace, type Scan, type ScanOptions, scan } from './scan/scan.ts';
