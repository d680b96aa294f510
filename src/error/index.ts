export { didYouMean } from './did-you-mean.ts';
export { isDiskFull } from './disk-full.ts';
export { type ErrorCode, InlayError, type InlayErrorOptions, isInlayError } from './inlay-error.ts';
