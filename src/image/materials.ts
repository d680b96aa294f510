import { z } from 'zod';
import { basePackageSchema } from './base/image-facts.ts';
import { pinSchema } from './base/lock.ts';
import { type NpmPackage, npmPackageSchema } from './npm-package.ts';
import type { Descriptor } from './oci/schema.ts';

export const sharedMaterialsSchema = z
  .object({
    os: z.object({ id: z.string(), versionId: z.string(), prettyName: z.string() }).readonly(),
    /** Debian packages of a base that apt composed, with the SHA-256 of each .deb. */
    base: z.array(pinSchema).readonly(),
    /** The image that the base is, as inlay.yaml names it, the digest of its index, and the packages found in it. */
    baseImage: z
      .object({ reference: z.string(), digest: z.string(), packages: z.array(basePackageSchema).readonly() })
      .readonly()
      .optional(),
    /** npm packages that the runtime layer is taken from; `integrity` is `sha512-` and base64, of the tarball. */
    runtime: z.array(npmPackageSchema.unwrap().extend({ integrity: z.string() }).readonly()).readonly(),
    /** npm packages that are bundled into the server. */
    server: z.array(npmPackageSchema).readonly(),
    /** The inlay whose server it is; none in an image whose base is the server. */
    serverVersion: z.string().optional(),
  })
  .readonly();

/** What the layers below the model were made of. A shared server image carries it, for the images that stand on it. */
export type SharedMaterials = z.infer<typeof sharedMaterialsSchema>;

/** What one platform's image was made of, as its SBOM and provenance tell it. */
export interface Materials extends SharedMaterials {
  /** The image's manifest, with its platform. */
  readonly manifest: Descriptor;
  /** The pushed image that it stands on, as inlay.yaml names it, with the digest of its index. */
  readonly serverImage?: { readonly reference: string; readonly digest: string };
  /** npm packages that are bundled into the transform, where there is one. */
  readonly transform?: readonly NpmPackage[];
}
