/** Of in-toto statements (in-toto attestation framework, "Bundle" and "Envelope"). */
export const IN_TOTO = 'application/vnd.in-toto+json';
export const CYCLONEDX = 'application/vnd.cyclonedx+json';
/** Sigstore's bundle, which holds a signature with what it is of. */
export const SIGSTORE_BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** cosign's statement "this image is signed", which says nothing else (cosign, pkg/types). */
export const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
export const SLSA_PREDICATE = 'https://slsa.dev/provenance/v1';
