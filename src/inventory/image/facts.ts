import { z } from 'zod';

const tensors = z
  .array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()) }).loose())
  .nullable();

/**
 * What is known of an image, by its digests. Everything but `attached` follows from the digest, so it is kept for good; null is what the
 * image does not say.
 */
export const imageFactsSchema = z
  .object({
    schemaVersion: z.literal(1),
    /** Of the index, or of the manifest where there is none. */
    digest: z.string(),
    /** Where it was read: `registry.example.com/ml/iris`. */
    repository: z.string(),
    platforms: z
      .array(z.object({ platform: z.string(), manifest: z.string(), config: z.string() }).readonly())
      .readonly(),
    builtBy: z.enum(['inlay', 'other']),
    model: z
      .object({ name: z.string(), version: z.string(), digest: z.string(), format: z.enum(['onnx', 'opaque']) })
      .readonly()
      .nullable(),
    task: z.string().nullable(),
    inputs: tensors,
    outputs: tensors,
    labels: z.array(z.string()).nullable(),
    owner: z.string().nullable(),
    os: z.string().nullable(),
    libraries: z.record(z.string(), z.string()),
    inlay: z.string().nullable(),
    created: z.string().nullable(),
    /** Compressed, of the first platform. */
    sizeBytes: z.number(),
    layers: z.array(z.object({ kind: z.string(), digest: z.string(), sizeBytes: z.number() }).readonly()).readonly(),
    /** Whether it looks like a program in Python: its packages are then in its layers. */
    python: z.boolean(),
    /** Whether `libraries` were read from the layers; `part` where some were too large, or broken. */
    packages: z.enum(['labels', 'layers', 'part', 'unread']),
    attached: z
      .object({
        signed: z.boolean(),
        source: z
          .object({ repository: z.string().exactOptional(), commit: z.string(), dirty: z.boolean() })
          .readonly()
          .nullable(),
        trainingRun: z.string().nullable(),
      })
      .readonly(),
  })
  .readonly();

export type ImageFacts = z.infer<typeof imageFactsSchema>;

/** Every digest that leads to the image: index, manifests, configs. */
export function digestsOf({ digest, platforms }: Pick<ImageFacts, 'digest' | 'platforms'>): string[] {
  return [digest, ...platforms.flatMap(({ manifest, config }) => [manifest, config])];
}
