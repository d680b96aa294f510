export { attachStatements, type Statements } from './attach-statements.ts';
export { type GitState, readGit } from './git.ts';
export { readPublicKey, readSigningKey, type SigningKey, type VerifyingKey } from './key.ts';
export { type Origin, originOf } from './origin.ts';
export type { SignedImage } from './sign.ts';
export type { VerifiedImage } from './verify.ts';

// Loaded when they are called: a build that signs nothing needs no Sigstore.
export const signImage: typeof import('./sign.ts').signImage = async (...args) =>
  (await import('./sign.ts')).signImage(...args);
export const verifyImage: typeof import('./verify.ts').verifyImage = async (...args) =>
  (await import('./verify.ts')).verifyImage(...args);
