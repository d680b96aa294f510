export { downloadMlflow, findMlflow, type MlflowSource } from './fetch-mlflow.ts';
export {
  type Fetched,
  type FetchedFile,
  isWhole,
  originOfFile,
  placeFetched,
  readFetched,
  safeName,
} from './fetched.ts';
export { type MlflowModel, readMlflowModel } from './mlflow.ts';
export { parseSourceUri, type SourceUri } from './source-uri.ts';
export { type TrackingOptions, TrackingServer } from './tracking-server.ts';
