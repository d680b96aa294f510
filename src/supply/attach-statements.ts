import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { AnyProject } from '../contract/index.ts';
import {
  attachInLayout,
  type BuildResult,
  type Env,
  type ModelSource,
  type OciLayout,
  platformName,
} from '../image/index.ts';
import { readMlflowModel } from '../source/index.ts';
import { readGit } from './git.ts';
import { CYCLONEDX, IN_TOTO, SLSA_PREDICATE } from './media-types.ts';
import { provenanceOf } from './provenance.ts';
import { sbomOf } from './sbom.ts';
import { digestSet, serializeStatement } from './statement.ts';

export interface StatementOptions {
  readonly layout: OciLayout;
  readonly project: AnyProject;
  readonly built: BuildResult;
  readonly compression: string;
  readonly epochS: number;
  readonly inlayVersion: string;
  /** Where the model was fetched from, if it was. */
  readonly source?: ModelSource | undefined;
  /** For git. */
  readonly env: Env;
}

/** Digests of what was attached. */
export interface Statements {
  /** One a platform, in their order. */
  readonly sboms: readonly string[];
  /** To the index and to each platform, in that order: one statement about all of them. */
  readonly provenance: readonly string[];
}

/**
 * Says what an image is made of (an SBOM to each platform) and where it comes from (provenance, to the index and each platform),
 * attached to it in the layout. What an earlier build said of the very same image is replaced.
 */
export async function attachStatements(options: StatementOptions): Promise<Statements> {
  const { layout, project, built, inlayVersion, env } = options;
  const { image, index, materials } = built;
  const sboms: string[] = [];
  const byproducts = [];
  for (const one of materials) {
    const bytes = sbomOf(project.contract, one, inlayVersion);
    const layers = [{ mediaType: CYCLONEDX, bytes }];
    sboms.push(await attachInLayout(layout, one.manifest, { artifactType: CYCLONEDX, layers }, { only: true }));
    byproducts.push({
      name: `sbom ${one.manifest.platform ? platformName(one.manifest.platform) : ''}`.trim(),
      digest: { sha256: createHash('sha256').update(bytes).digest('hex') },
      mediaType: CYCLONEDX,
    });
  }
  const mlflow = await mlflowOf(project);
  const git = await readGit(project.dir, env);
  const subjects = [index, ...materials.map(({ manifest }) => manifest)];
  const bytes = serializeStatement(
    subjects.map(({ digest }) => ({ name: image.reference, digest: digestSet(digest) })),
    SLSA_PREDICATE,
    provenanceOf({ ...options, materials, git, mlflow, byproducts }),
  );
  const document = {
    artifactType: IN_TOTO,
    layers: [{ mediaType: IN_TOTO, bytes, annotations: { 'in-toto.io/predicate-type': SLSA_PREDICATE } }],
    annotations: { 'in-toto.io/predicate-type': SLSA_PREDICATE },
  };
  const provenance: string[] = [];
  for (const subject of subjects) provenance.push(await attachInLayout(layout, subject, document, { only: true }));
  return { sboms, provenance };
}

/** The MLflow run that the model was logged by, where its folder, or the project's, is one that MLflow wrote. */
async function mlflowOf(project: AnyProject) {
  const folder = project.format === 'opaque' ? project.modelPath : dirname(project.modelPath);
  for (const dir of new Set([folder, project.dir])) {
    // A folder that is not readable as MLflow's is no reason not to build.
    const model = await readMlflowModel(dir).catch(() => undefined);
    if (model?.runId !== undefined) return { runId: model.runId, mlflowVersion: model.mlflowVersion };
  }
  return undefined;
}
