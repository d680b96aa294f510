import type { Pin } from './base/lock.ts';
import type { NpmPackage } from './npm-package.ts';
import type { Descriptor } from './oci/schema.ts';

/** What one platform's image was made of, as its SBOM and provenance tell it. */
export interface Materials {
  /** The image's manifest, with its platform. */
  readonly manifest: Descriptor;
  readonly os: { readonly id: string; readonly versionId: string; readonly prettyName: string };
  /** Debian packages of the base, with the SHA-256 of each .deb. */
  readonly base: readonly Pin[];
  /** npm packages that the runtime layer is taken from; `integrity` is `sha512-` and base64, of the tarball. */
  readonly runtime: readonly (NpmPackage & { readonly integrity: string })[];
  /** npm packages that are bundled into the server. */
  readonly server: readonly NpmPackage[];
}
