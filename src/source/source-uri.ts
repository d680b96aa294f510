import { InlayError } from '../error/index.ts';

/** Where a model is fetched from. */
export type SourceUri =
  | { readonly kind: 'run'; readonly runId: string; readonly path: string }
  | { readonly kind: 'model'; readonly name: string; readonly version: string }
  | { readonly kind: 'alias'; readonly name: string; readonly alias: string }
  | { readonly kind: 'oci'; readonly reference: string };

/**
 * Reads MLflow's URIs of runs and registered models, and `oci://` with the reference of an artifact.
 *
 *     runs:/4ab1…/model      models:/iris/3      models:/iris/latest      models:/iris@champion      oci://ghcr.io/ml/iris-onnx:3
 *
 * @throws SOURCE_INVALID
 */
export function parseSourceUri(text: string): SourceUri {
  const run = /^runs:\/+([A-Za-z0-9_-]+)\/(.+?)\/*$/.exec(text);
  if (run) return { kind: 'run', runId: part(run, 1), path: part(run, 2) };
  const alias = /^models:\/+([^/@]+)@([^/@]+)$/.exec(text);
  if (alias) return { kind: 'alias', name: part(alias, 1), alias: part(alias, 2) };
  const model = /^models:\/+([^/@]+)\/(\d+|latest)$/.exec(text);
  if (model) return { kind: 'model', name: part(model, 1), version: part(model, 2) };
  const oci = /^oci:\/\/(\S+)$/.exec(text);
  if (oci) return { kind: 'oci', reference: part(oci, 1) };
  throw new InlayError('SOURCE_INVALID', `${text} is no source of a model`, {
    hint: 'Write runs:/RUN_ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS or oci://REGISTRY/REPOSITORY:TAG.',
  });
}

function part(match: RegExpExecArray, group: number): string {
  return match[group] ?? '';
}
