import { z } from 'zod';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a sha256 digest');
const annotations = z.record(z.string(), z.string());

/** An image's platform; `architecture` in Go's words: amd64, arm64. */
export const platformSchema = z.object({ architecture: z.string(), os: z.string(), variant: z.string().optional() });
export type Platform = z.infer<typeof platformSchema>;

/** OCI content descriptor: what a blob is, its digest, its size in bytes. */
export const descriptorSchema = z.object({
  mediaType: z.string(),
  digest,
  size: z.number().int().nonnegative(),
  platform: platformSchema.optional(),
  artifactType: z.string().optional(),
  annotations: annotations.optional(),
});
export type Descriptor = z.infer<typeof descriptorSchema>;

export const indexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotations.optional(),
});
export type ImageIndex = z.infer<typeof indexSchema>;

export const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
  /** What this manifest is attached to: it is a referrer, such as a signature or an SBOM. */
  subject: descriptorSchema.optional(),
  annotations: annotations.optional(),
});
export type ImageManifest = z.infer<typeof manifestSchema>;

/** Fields that are not named here are kept: Docker has more of them, and an image that stands on another passes them on. */
export const configSchema = z.looseObject({
  created: z.string().optional(),
  architecture: z.string(),
  os: z.string(),
  config: z
    .looseObject({
      User: z.string().optional(),
      ExposedPorts: z.record(z.string(), z.object({})).optional(),
      Env: z.array(z.string()).optional(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      WorkingDir: z.string().optional(),
      Labels: z.record(z.string(), z.string()).nullish(),
      StopSignal: z.string().optional(),
    })
    .default({}),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest) }),
  history: z
    .array(
      z.looseObject({
        created: z.string().optional(),
        created_by: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .optional(),
});
export type ImageConfig = z.infer<typeof configSchema>;
