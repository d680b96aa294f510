import { z } from 'zod';
import { FORMAT, LABEL_PREFIX } from './facts.ts';
import type { ImageConfig, ImageManifest } from './oci/schema.ts';

/** What an image says of itself, read from its manifest and config alone: no layer is needed. */
export interface DescribedImage {
  /** The part of the contract that the labels carry; undefined for an image that inlay has not built. */
  readonly contract?: {
    /** `opaque`: inlay does not read the model; then inputs and outputs are what a person wrote, if anything. */
    readonly format: 'onnx' | 'opaque';
    readonly name: string;
    readonly version: string;
    readonly task: string;
    readonly model: {
      readonly digest: string;
      readonly producer?: string;
      readonly opsets?: string;
      /** Where an opaque one lies in the image. */
      readonly path?: string;
    };
    readonly inputs: unknown;
    readonly outputs: unknown;
    readonly labels?: readonly string[];
    readonly transform?: unknown;
    readonly owner?: string;
  };
  readonly inlay?: string;
  readonly os: string;
  readonly platform: string;
  readonly libraries: Readonly<Record<string, string>>;
  readonly layers: readonly {
    readonly kind: string;
    readonly digest: string;
    readonly mediaType: string;
    readonly sizeBytes: number;
  }[];
}

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue('not JSON');
    return z.NEVER;
  }
});
const labelsSchema = z.object({
  'org.opencontainers.image.title': z.string(),
  'org.opencontainers.image.version': z.string(),
  'org.opencontainers.image.authors': z.string().optional(),
  [`${LABEL_PREFIX}version`]: z.string(),
  [`${LABEL_PREFIX}task`]: z.string(),
  [`${LABEL_PREFIX}model.digest`]: z.string(),
  [FORMAT]: z.literal('opaque').optional(),
  [`${LABEL_PREFIX}model.path`]: z.string().optional(),
  [`${LABEL_PREFIX}model.producer`]: z.string().optional(),
  [`${LABEL_PREFIX}model.opsets`]: z.string().optional(),
  [`${LABEL_PREFIX}inputs`]: json,
  [`${LABEL_PREFIX}outputs`]: json,
  [`${LABEL_PREFIX}labels`]: json.pipe(z.array(z.string())).optional(),
  [`${LABEL_PREFIX}transform`]: json.optional(),
  [`${LABEL_PREFIX}os`]: z.string(),
  [`${LABEL_PREFIX}libraries`]: json.pipe(z.record(z.string(), z.string())),
});

/** Reads back what `imageLabels` wrote. Labels of anyone else's image are not taken for a contract. */
export function describeImage(manifest: ImageManifest, config: ImageConfig): DescribedImage {
  const labels = labelsSchema.safeParse(config.config.Labels ?? {}).data as Record<string, unknown> | undefined;
  const text = (name: string) => labels?.[name] as string;
  const some = (key: string, name: string) => (labels?.[name] === undefined ? {} : { [key]: labels[name] });
  return {
    ...(labels === undefined
      ? {}
      : {
          contract: {
            format: labels[FORMAT] === 'opaque' ? 'opaque' : 'onnx',
            name: text('org.opencontainers.image.title'),
            version: text('org.opencontainers.image.version'),
            task: text(`${LABEL_PREFIX}task`),
            model: {
              digest: text(`${LABEL_PREFIX}model.digest`),
              ...some('producer', `${LABEL_PREFIX}model.producer`),
              ...some('opsets', `${LABEL_PREFIX}model.opsets`),
              ...some('path', `${LABEL_PREFIX}model.path`),
            },
            inputs: labels[`${LABEL_PREFIX}inputs`],
            outputs: labels[`${LABEL_PREFIX}outputs`],
            ...some('labels', `${LABEL_PREFIX}labels`),
            ...some('transform', `${LABEL_PREFIX}transform`),
            ...some('owner', 'org.opencontainers.image.authors'),
          },
          inlay: text(`${LABEL_PREFIX}version`),
        }),
    os: labels === undefined ? config.os : text(`${LABEL_PREFIX}os`),
    platform: `${config.os}/${config.architecture}`,
    libraries: (labels?.[`${LABEL_PREFIX}libraries`] ?? {}) as Record<string, string>,
    layers: manifest.layers.map((layer) => ({
      kind: layer.annotations?.[`${LABEL_PREFIX}layer`] ?? 'other',
      digest: layer.digest,
      mediaType: layer.mediaType,
      sizeBytes: layer.size,
    })),
  };
}
