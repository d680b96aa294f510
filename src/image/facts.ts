import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type AnyProject, type Contract, isOpaque, type OpaqueContract, serializeContract } from '../contract/index.ts';
import { type SharedMaterials, sharedMaterialsSchema } from './materials.ts';
import type { ImageConfig } from './oci/schema.ts';

/** What an image stands on, for its labels, `inspect` and an inventory. */
export interface ImageFacts {
  /** `debian 12` */
  readonly os: string;
  /** Name to version: Bun, ONNX Runtime, inlay and the base's packages. */
  readonly libraries: Readonly<Record<string, string>>;
}

/** Where a model was fetched from. */
export interface ModelSource {
  readonly uri: string;
  readonly identity: Readonly<Record<string, string>>;
}

/** Annotations for what an image stands on (annotations.md of the OCI image specification). */
export const BASE_NAME = 'org.opencontainers.image.base.name';
export const BASE_DIGEST = 'org.opencontainers.image.base.digest';

/** Prefix of inlay's own labels and annotations. */
export const LABEL_PREFIX = 'inlay.';

/** The digest of contract.json in the model layer: who reads it out of the layer need not read all of that to check it. */
export const CONTRACT_DIGEST = `${LABEL_PREFIX}contract.digest`;
/** `opaque` where inlay does not read the model. */
export const FORMAT = `${LABEL_PREFIX}format`;
/** The whole contract of an opaque model, as JSON. */
export const OPAQUE_CONTRACT = `${LABEL_PREFIX}contract`;

/**
 * The labels of an image's config: what runs, readable without pulling a layer. Values that are no plain text are JSON.
 * Keys of the OCI image specification (annotations.md) where it has one.
 */
export function imageLabels(
  project: AnyProject,
  facts: ImageFacts,
  inlayVersion: string,
  source?: ModelSource | undefined,
): Readonly<Record<string, string>> {
  const { contract } = project;
  return {
    ...imageAnnotations(project, inlayVersion),
    ...(source ? { [`${LABEL_PREFIX}source`]: JSON.stringify({ uri: source.uri, ...source.identity }) } : {}),
    [`${LABEL_PREFIX}inputs`]: JSON.stringify(contract.inputs),
    [`${LABEL_PREFIX}outputs`]: JSON.stringify(contract.outputs),
    ...(isOpaque(contract) ? opaqueLabels(contract) : onnxLabels(contract)),
    [`${LABEL_PREFIX}os`]: facts.os,
    [`${LABEL_PREFIX}libraries`]: JSON.stringify(facts.libraries),
  };
}

function onnxLabels(contract: Contract): Readonly<Record<string, string>> {
  return {
    [CONTRACT_DIGEST]: `sha256:${createHash('sha256').update(serializeContract(contract)).digest('hex')}`,
    ...(contract.transform
      ? { [`${LABEL_PREFIX}transform`]: JSON.stringify({ ...contract.transform, sample: undefined }) }
      : {}),
    ...(contract.labels ? { [`${LABEL_PREFIX}labels`]: JSON.stringify(contract.labels.names) } : {}),
    [`${LABEL_PREFIX}model.producer`]: `${contract.model.producer.name} ${contract.model.producer.version}`.trim(),
    [`${LABEL_PREFIX}model.opsets`]: contract.model.opsets
      .map((o) => `${o.domain || 'ai.onnx'}=${o.version}`)
      .join(','),
  };
}

/** Its server reads no contract.json, so the contract lies where it is read without a layer. */
function opaqueLabels(contract: OpaqueContract): Readonly<Record<string, string>> {
  return {
    [FORMAT]: contract.format,
    [OPAQUE_CONTRACT]: JSON.stringify(contract),
    [`${LABEL_PREFIX}model.path`]: contract.model.target,
  };
}

/** The annotations of a manifest and its index: what a list of images needs. */
export function imageAnnotations(project: AnyProject, inlayVersion: string): Readonly<Record<string, string>> {
  const { contract } = project;
  return {
    'org.opencontainers.image.title': contract.name,
    'org.opencontainers.image.version': contract.version,
    ...(contract.owner ? { 'org.opencontainers.image.authors': contract.owner } : {}),
    [`${LABEL_PREFIX}version`]: inlayVersion,
    [`${LABEL_PREFIX}task`]: contract.task,
    [`${LABEL_PREFIX}model.digest`]: contract.model.digest,
  };
}

/** What an image stands on, in the words of the OCI image specification (annotations.md); push mounts from there. */
export function baseAnnotations(
  image: { readonly reference: string; readonly digest: string } | undefined,
): Readonly<Record<string, string>> {
  return image ? { [BASE_NAME]: image.reference, [BASE_DIGEST]: image.digest } : {};
}

/** The labels of an image of inlay's command line. */
export function cliLabels(facts: ImageFacts, inlayVersion: string): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.title': 'inlay',
    'org.opencontainers.image.version': inlayVersion,
    [`${LABEL_PREFIX}os`]: facts.os,
    [`${LABEL_PREFIX}libraries`]: JSON.stringify(facts.libraries),
  };
}

/** The labels of a shared server image. */
export function serverLabels(
  facts: ImageFacts,
  materials: SharedMaterials,
  inlayVersion: string,
): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.title': 'inlay-server',
    'org.opencontainers.image.version': inlayVersion,
    [SERVER]: inlayVersion,
    [CAN]: SERVER_CAN.join(),
    [`${LABEL_PREFIX}os`]: facts.os,
    [`${LABEL_PREFIX}libraries`]: JSON.stringify(facts.libraries),
    [MATERIALS]: JSON.stringify(materials),
  };
}

const MATERIALS = `${LABEL_PREFIX}materials`;
const SERVER = `${LABEL_PREFIX}server`;
/** What a server does that earlier ones did not: they would serve such a model without it, and say nothing. */
const CAN = `${LABEL_PREFIX}server.can`;
const SERVER_CAN = ['transform'] as const;
export type ServerAbility = (typeof SERVER_CAN)[number];
const serverSchema = z.object({
  [SERVER]: z.string(),
  [`${LABEL_PREFIX}os`]: z.string(),
  [`${LABEL_PREFIX}libraries`]: z.string(),
  [MATERIALS]: z.string(),
  [CAN]: z.string().optional(),
});
const librariesSchema = z.record(z.string(), z.string());

/** Reads back what `serverLabels` wrote; undefined for any other image. */
export function serverFacts(
  config: ImageConfig,
): { readonly facts: ImageFacts; readonly materials: SharedMaterials; readonly can: readonly string[] } | undefined {
  const labels = serverSchema.safeParse(config.config.Labels).data as Record<string, string> | undefined;
  if (labels === undefined) return undefined;
  try {
    const libraries = librariesSchema.parse(JSON.parse(labels[`${LABEL_PREFIX}libraries`] as string));
    const materials = sharedMaterialsSchema.parse(JSON.parse(labels[MATERIALS] as string));
    return {
      facts: { os: labels[`${LABEL_PREFIX}os`] as string, libraries },
      materials,
      can: (labels[CAN] ?? '').split(','),
    };
  } catch {
    return undefined;
  }
}
