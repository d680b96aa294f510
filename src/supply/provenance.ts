import { relative } from 'node:path';
import { type AnyProject, modelPathOf } from '../contract/index.ts';
import { type Materials, type ModelSource, platformName } from '../image/index.ts';
import type { GitState } from './git.ts';
import { debPurl, integrityHex, npmPurl } from './purl.ts';
import { digestSet, type ResourceDescriptor } from './statement.ts';

/** How an image is made of the parameters below: docs/supply-chain.md says it. */
export const BUILD_TYPE = 'urn:inlay:build:v1';

export interface ProvenanceInput {
  readonly project: AnyProject;
  readonly materials: readonly Materials[];
  readonly compression: string;
  readonly epochS: number;
  readonly inlayVersion: string;
  readonly git: GitState | undefined;
  /** Where the model was fetched from, if it was. */
  readonly source?: ModelSource | undefined;
  readonly mlflow: { readonly runId: string; readonly mlflowVersion?: string | undefined } | undefined;
  /** Documents that the build made besides the image. */
  readonly byproducts: readonly ResourceDescriptor[];
}

/** SLSA provenance v1: from what, with what parameters, by what. No clock: the same inputs give the same predicate. */
export function provenanceOf(input: ProvenanceInput) {
  const { project, materials, compression, epochS, inlayVersion } = input;
  const { config, contract } = project;
  const onnx = project.format === 'onnx' ? project.contract : undefined;
  const defined = <T extends object>(value: T) => JSON.parse(JSON.stringify(value)) as T;
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: defined({
        project: {
          name: config.name,
          version: config.version,
          image: config.image,
          task: contract.task,
          model: modelPathOf(config),
          ...(project.format === 'opaque' ? { format: 'opaque', target: project.target, env: project.env } : {}),
          labels: config.labels,
          golden: onnx?.golden && { file: onnx.golden.file, inImage: onnx.golden.inImage },
          transform: config.transform,
          accepted: onnx?.accepted,
        },
        platforms: materials.map(({ manifest }) => manifest.platform && platformName(manifest.platform)),
        compression,
      }),
      internalParameters: { sourceDateEpoch: epochS },
      resolvedDependencies: unique([...projectParts(input), ...materials.flatMap(materialParts)]),
    },
    runDetails: {
      builder: { id: 'urn:inlay:builder', version: { inlay: inlayVersion } },
      byproducts: input.byproducts,
    },
  };
}

function projectParts({ project, git, mlflow, source }: ProvenanceInput): ResourceDescriptor[] {
  const { externalData, golden } =
    project.format === 'onnx'
      ? { externalData: project.contract.model.externalData, golden: project.contract.golden }
      : { externalData: project.files.map(({ name, digest }) => ({ file: name, digest })), golden: undefined };
  const { digest } = project.contract.model;
  return [
    { name: 'model', uri: relative(project.dir, project.modelPath), digest: digestSet(digest) },
    ...externalData.map((one) => ({ name: `model/${one.file}`, digest: digestSet(one.digest) })),
    ...(project.format === 'onnx' && project.contract.transform && project.config.transform !== undefined
      ? [
          {
            name: 'transform',
            uri: project.config.transform,
            digest: digestSet(project.contract.transform.digest),
          },
        ]
      : []),
    ...(golden ? [{ name: 'golden', digest: digestSet(golden.digest) }] : []),
    ...(git
      ? [
          {
            name: 'source',
            ...(git.remote === undefined ? {} : { uri: git.remote }),
            digest: { gitCommit: git.commit },
            annotations: { dirty: git.dirty },
          },
        ]
      : []),
    ...(source
      ? [
          {
            name: 'model-source',
            uri: source.uri,
            ...(source.identity.digest === undefined ? {} : { digest: digestSet(source.identity.digest) }),
            annotations: { ...source.identity },
          },
        ]
      : []),
    ...(mlflow
      ? [
          {
            name: 'mlflow-run',
            uri: `urn:mlflow:run:${encodeURIComponent(mlflow.runId)}`,
            ...(mlflow.mlflowVersion === undefined ? {} : { annotations: { mlflowVersion: mlflow.mlflowVersion } }),
          },
        ]
      : []),
  ];
}

function materialParts({ base, baseImage, os, runtime, serverImage, transform }: Materials): ResourceDescriptor[] {
  return [
    ...(baseImage ? [{ name: 'base-image', uri: baseImage.reference, digest: digestSet(baseImage.digest) }] : []),
    ...(serverImage
      ? [{ name: 'server-image', uri: serverImage.reference, digest: digestSet(serverImage.digest) }]
      : []),
    ...base.map((pin) => ({ uri: debPurl(pin, os), digest: { sha256: pin.sha256 } })),
    ...runtime.map((one) => ({ uri: npmPurl(one), digest: { sha512: integrityHex(one.integrity) } })),
    ...(transform ?? []).map((one) => ({ uri: npmPurl(one) })),
  ];
}

/** Platforms share packages. */
function unique(parts: readonly ResourceDescriptor[]): ResourceDescriptor[] {
  return [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
}
