import { describeSpec, type Project, readProject } from '../contract/index.ts';
import { cpuLimit, Engine, threadsFor } from '../engine/index.ts';
import { type ErrorCode, isInlayError } from '../error/index.ts';

export interface Finding {
  readonly code: ErrorCode;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What was found to be in order, a line a topic. */
export interface Fact {
  readonly topic: string;
  readonly text: string;
}

export interface CheckReport {
  /** No finding is an error. */
  readonly ok: boolean;
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
}

/** Faults of the project, which are findings; anything else (a full disk, a bug) is thrown on. */
const PROJECT_FAULTS: readonly ErrorCode[] = [
  'CONFIG_INVALID',
  'FILE_NOT_FOUND',
  'FILE_UNREADABLE',
  'PATH_ESCAPES',
  'LABELS_INVALID',
  'CONTRACT_INVALID',
  'MODEL_INVALID',
  'MODEL_UNSUPPORTED',
  'MODEL_LOAD_FAILED',
  'OUTPUT_NOT_FINITE',
  'INPUT_INVALID',
  'INTEGRITY_MISMATCH',
];

/**
 * Checks a project's folder: reads all of it, loads the model in the runtime that will serve it, and runs the sample.
 * @throws PROJECT_NOT_FOUND
 */
export async function checkProject(dir: string): Promise<CheckReport> {
  const facts: Fact[] = [];
  try {
    const project = await readProject(dir);
    facts.push(...modelFacts(project));
    const started = performance.now();
    const engine = await Engine.load({
      contract: project.contract,
      modelPath: project.modelPath,
      threads: threadsFor(cpuLimit()),
    });
    const loaded = performance.now();
    await engine.run(engine.sample());
    facts.push({
      topic: 'cost',
      text: `load ${Math.round(loaded - started)} ms, one run ${(performance.now() - loaded).toFixed(2)} ms`,
    });
    await engine.close();
    return { ok: true, facts, findings: [] };
  } catch (error) {
    if (!isInlayError(error) || !PROJECT_FAULTS.includes(error.code)) throw error;
    return {
      ok: false,
      facts,
      findings: [
        { code: error.code, severity: 'error', message: error.message, ...(error.hint ? { hint: error.hint } : {}) },
      ],
    };
  }
}

function modelFacts({ contract, facts }: Project): Fact[] {
  const opsets = contract.model.opsets.map((o) => `${o.domain || 'ai.onnx'} ${o.version}`).join(' + ');
  return [
    {
      topic: 'model',
      text: `${contract.model.file}, ${(contract.model.sizeBytes / 1e6).toFixed(3)} MB, opset ${opsets}, IR ${contract.model.irVersion}, by ${contract.model.producer.name} ${contract.model.producer.version}`,
    },
    ...facts.zipMaps.map((zipMap) => ({
      topic: 'graph',
      text: `ZipMap is cut when loading: ${zipMap.output} comes as one tensor, columns ${facts.classLabels?.values.join(', ')}`,
    })),
    ...contract.inputs.map((spec) => ({ topic: 'input', text: `${spec.name} ${describeSpec(spec)}` })),
    ...contract.outputs.map((spec) => ({
      topic: 'output',
      text: `${spec.name} ${describeSpec(spec)}${spec.name === contract.prediction ? ', the prediction' : ''}`,
    })),
    ...(contract.labels
      ? [{ topic: 'labels', text: `${contract.labels.file ?? 'of the graph'}: ${contract.labels.names.join(', ')}` }]
      : []),
    { topic: 'sample', text: contract.sample.generated ? 'zeros: inlay.yaml has no sample' : 'fits the inputs' },
  ];
}
