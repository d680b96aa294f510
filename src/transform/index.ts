export type {
  InputTensor,
  OutputTensor,
  Transform,
  TransformModel,
  TransformRequest,
} from './api.ts';
export type { TransformBundle } from './bundle.ts';
export { type BundleFile, digestOfFiles, TRANSFORM_ENTRY } from './bundle-files.ts';
export { prepareTransform } from './lazy.ts';
export { type LoadedTransform, loadTransform } from './load.ts';
export type { PreparedTransform } from './prepare.ts';
