export { type AttachedLayer, type AttachOptions, type AttachResult, attachReferrer } from './attach.ts';
export { type CopyOptions, type CopyResult, copyImage } from './copy.ts';
export { deleteManifest, listReferrers, listTags, type RepositoryQuery, resolveDigest } from './listing.ts';
export type { Clock, RegistryOptions, RetryPolicy } from './options.ts';
export type { Moved, OnProgress, TransferProgress } from './progress.ts';
export { type PullOptions, type PullResult, pullImage } from './pull.ts';
export { type PushOptions, type PushResult, pushImage } from './push.ts';
export { formatReference, type ImageReference, identifierOf, parseReference } from './reference.ts';
export { Registry } from './registry.ts';
