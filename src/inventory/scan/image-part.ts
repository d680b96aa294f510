import type { TensorSpec } from '../../contract/index.ts';
import type { ImageFacts } from '../image/facts.ts';
import type { ServerRow } from '../row.ts';

/** What of a row follows from its image alone. */
export type ImagePart = Pick<
  ServerRow,
  | 'model'
  | 'task'
  | 'inputs'
  | 'outputs'
  | 'labels'
  | 'os'
  | 'libraries'
  | 'inlay'
  | 'source'
  | 'trainingRun'
  | 'signed'
>;

export function imagePart(facts: ImageFacts | undefined): ImagePart {
  const { model } = facts ?? {};
  return {
    model: model ? { name: model.name, version: model.version, digest: model.digest } : null,
    task: facts?.task ?? null,
    inputs: (facts?.inputs ?? null) as readonly TensorSpec[] | null,
    outputs: (facts?.outputs ?? null) as readonly TensorSpec[] | null,
    labels: facts?.labels ?? null,
    os: facts?.os ?? null,
    libraries: facts?.libraries ?? {},
    inlay: facts?.inlay ?? null,
    source: facts?.attached.source ?? null,
    trainingRun: facts?.attached.trainingRun ?? null,
    signed: facts?.attached.signed ?? null,
  };
}
