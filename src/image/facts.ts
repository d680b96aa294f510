import type { Project } from '../contract/index.ts';

/** What an image stands on, for its labels, `inspect` and an inventory. */
export interface ImageFacts {
  readonly os: { readonly id: string; readonly versionId: string; readonly prettyName: string };
  /** Name to version: Bun, ONNX Runtime, inlay and the base's packages. */
  readonly libraries: Readonly<Record<string, string>>;
}

/** Prefix of inlay's own labels and annotations. */
export const LABEL_PREFIX = 'inlay.';

/**
 * The labels of an image's config: what runs, readable without pulling a layer. Values that are no plain text are JSON.
 * Keys of the OCI image specification (annotations.md) where it has one.
 */
export function imageLabels(
  project: Project,
  facts: ImageFacts,
  inlayVersion: string,
): Readonly<Record<string, string>> {
  const { contract } = project;
  return {
    ...imageAnnotations(project, inlayVersion),
    [`${LABEL_PREFIX}inputs`]: JSON.stringify(contract.inputs),
    [`${LABEL_PREFIX}outputs`]: JSON.stringify(contract.outputs),
    ...(contract.labels ? { [`${LABEL_PREFIX}labels`]: JSON.stringify(contract.labels.names) } : {}),
    [`${LABEL_PREFIX}model.producer`]: `${contract.model.producer.name} ${contract.model.producer.version}`.trim(),
    [`${LABEL_PREFIX}model.opsets`]: contract.model.opsets
      .map((o) => `${o.domain || 'ai.onnx'}=${o.version}`)
      .join(','),
    [`${LABEL_PREFIX}os`]: facts.os.prettyName,
    [`${LABEL_PREFIX}libraries`]: JSON.stringify(facts.libraries),
  };
}

/** The annotations of a manifest and its index: what a list of images needs. */
export function imageAnnotations(project: Project, inlayVersion: string): Readonly<Record<string, string>> {
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
