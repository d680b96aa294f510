/** Media types of the OCI image specification v1.1. */
export const MEDIA_TYPE = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  /** The config of what has none (manifest.md, guidance for an empty descriptor): the two bytes `{}`. */
  empty: 'application/vnd.oci.empty.v1+json',
} as const;
