export { attachStatements, type Statements } from './attach-statements.ts';
export { readPublicKey, readSigningKey, type SigningKey, type VerifyingKey } from './key.ts';
export { type SignedImage, signImage } from './sign.ts';
export { type VerifiedImage, verifyImage } from './verify.ts';
