import { readFileSync } from 'node:fs';
import {
  type AnyProject,
  describeSpec,
  exceeds,
  nanWeights,
  type Project,
  quantityBytes,
  readAnyProject,
  type Task,
} from '../contract/index.ts';
import {
  cpuLimit,
  Engine,
  findOnnxRuntime,
  goldenMismatch,
  proveBatch,
  replayGolden,
  sameTensor,
  threadsFor,
} from '../engine/index.ts';
import { type ErrorCode, isInlayError } from '../error/index.ts';
import type { Fact, Finding } from './finding.ts';
import { findingOf } from './finding-of.ts';
import { modelFindings } from './model.ts';
import { opaqueReport } from './opaque.ts';
import { checkTraining } from './training.ts';
import { checkTransform, transformFact, transformUnproven } from './transform.ts';

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
  'MODEL_FORMAT',
  'MODEL_UNSUPPORTED',
  'MODEL_LOAD_FAILED',
  'OUTPUT_NOT_FINITE',
  'INPUT_INVALID',
  'SAMPLE_INVALID',
  'FEATURES_INVALID',
  'EXTERNAL_DATA_MISSING',
  'EXTERNAL_DATA_ESCAPES',
  'EXTERNAL_DATA_SHORT',
  'GOLDEN_INVALID',
  'GOLDEN_DTYPE',
  'GOLDEN_MISMATCH',
  'METRICS_INVALID',
  'TRANSFORM_INVALID',
  'TRANSFORM_NATIVE',
  'TRANSFORM_FAILED',
  'TRANSFORM_TIMEOUT',
  'INTEGRITY_MISMATCH',
];

/**
 * Checks a project's folder: reads all of it and, unless its model is opaque, loads the model in the runtime that will serve it, runs the sample and
 * replays the golden cases. What can be known before a release is found here.
 * @param known the project, where it has been read already
 * @throws PROJECT_NOT_FOUND
 */
export async function checkProject(dir: string, known?: AnyProject): Promise<CheckReport> {
  const facts: Fact[] = [];
  const findings: Finding[] = [];
  try {
    const project = known ?? (await readAnyProject(dir));
    if (project.format === 'opaque') {
      const report = opaqueReport(project);
      return { ok: report.findings.every(({ severity }) => severity !== 'error'), ...report };
    }
    facts.push(...modelFacts(project), ...transformFact(project));
    findings.push(...modelFindings(project, await nanWeights(project.modelPath)));
    const training = await checkTraining(project);
    facts.push(...training.facts);
    findings.push(...training.findings);
    if (project.contract.sample.generated) {
      findings.push({
        code: 'SAMPLE_MISSING',
        severity: 'warning',
        message: 'inlay.yaml has no sample: /predict/test answers for zeros',
        hint: 'Write sample: [[…]] with one typical row.',
      });
    }
    const unproven = transformUnproven(project);
    if (unproven) findings.push(unproven);
    else if (!project.golden) {
      findings.push({
        code: 'GOLDEN_MISSING',
        severity: 'warning',
        message: 'there are no golden cases: nothing proves that the image answers as training did',
        hint: 'Write them at the end of training with inlay_golden, and name the file in inlay.yaml: golden: golden.json.',
      });
    }
    if (!findings.some((finding) => finding.severity === 'error')) await checkRunning(project, facts, findings);
  } catch (error) {
    if (!isInlayError(error) || !PROJECT_FAULTS.includes(error.code)) throw error;
    findings.push(findingOf(error));
  }
  return { ok: !findings.some((finding) => finding.severity === 'error'), facts, findings };
}

/** What only a loaded model tells. */
async function checkRunning(project: Project, facts: Fact[], findings: Finding[]): Promise<void> {
  const { contract, modelPath } = project;
  await findOnnxRuntime(); // it may have to be fetched first
  const started = performance.now();
  const before = ownBytes();
  const engine = await Engine.load({ contract, modelPath, threads: threadsFor(cpuLimit()) });
  try {
    const loadMs = performance.now() - started;
    const once = performance.now();
    const first = await engine.run(engine.sample());
    const runMs = performance.now() - once;
    const second = await engine.run(engine.sample());
    let deterministic = Object.keys(first).every((name) => sameTensor(first[name] as never, second[name] as never));
    if (project.golden) {
      const { casts } = project.golden.cases;
      const replay = await replayGolden(engine, project.golden.cases);
      deterministic &&= replay.deterministic;
      if (replay.worst && exceeds(replay.worst))
        findings.push(findingOf(goldenMismatch(replay.worst, contract.golden?.file ?? 'golden.json', casts)));
      else {
        if (casts.length > 0)
          findings.push({
            code: 'GOLDEN_DTYPE',
            severity: 'warning',
            message: `input ${casts.join(', input ')}; the answers agree all the same`,
            hint: 'Other rows may not: cast in training what the model casts when it serves.',
          });
        facts.push({
          topic: 'golden',
          text: `${replay.rows} rows from training: largest difference ${replay.worst?.size.toPrecision(2) ?? 0}, allowed ${replay.worst?.allowed.toPrecision(1) ?? 0}`,
        });
      }
    }
    const transform = await checkTransform(project, engine);
    facts.push(...transform.facts);
    findings.push(...transform.findings);
    if (!deterministic) {
      findings.push({
        code: 'NOT_DETERMINISTIC',
        severity: 'error',
        path: contract.model.file,
        message: 'the same input is answered differently a second time',
        hint: 'Export the model in evaluation mode; look for dropout and sampling in the graph.',
      });
    }
    const batch = await proveBatch(engine, contract, [
      ...(project.golden?.cases.cases.map((one) => one.inputs) ?? []),
      engine.sample(),
    ]);
    if (batch.interferes) {
      findings.push({
        code: 'BATCH_CHANGES_ANSWERS',
        severity: 'warning',
        path: contract.model.file,
        message: 'rows that are sent together change each other’s answers',
        hint: 'The server never runs requests together for this model, so it is slower under load. Dynamic quantisation and sequence models do this; static quantisation does not.',
      });
    } else {
      facts.push({
        topic: 'batch',
        text:
          batch.state === 'fixed'
            ? 'the model takes a fixed number of rows'
            : `${batch.rows} rows in every size: ${batch.state}`,
      });
    }
    const grown = Math.max(0, ownBytes() - before);
    const allowed = quantityBytes(contract.server.memory);
    if (grown + SERVER_OWN_BYTES > allowed) {
      findings.push({
        code: 'MEMORY_EXCEEDED',
        severity: 'error',
        path: contract.model.file,
        message: `loaded and run, the model takes ${mb(grown)} and the server ${mb(SERVER_OWN_BYTES)} beside it; server.memory allows ${mb(allowed)}`,
        hint: `Write server: {memory: ${Math.ceil(((grown + SERVER_OWN_BYTES) * 1.2) / 2 ** 20 / 50) * 50}Mi} or more: the kernel would end the server.`,
      });
    }
    facts.push({
      topic: 'cost',
      text: `load ${Math.round(loadMs)} ms, one run ${runMs.toFixed(2)} ms, ${mb(grown)} of the ${mb(allowed)} allowed`,
    });
  } finally {
    await engine.close();
  }
}

/** What the server takes that is its own, without a model and without the pages of its program, bytes: measured. */
const SERVER_OWN_BYTES = 45e6;

/** This process's anonymous memory: what cannot be given back under pressure, so what the kernel kills for. */
function ownBytes(): number {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage().rss;
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function modelFacts({ contract, facts }: Project): Fact[] {
  const opsets = contract.model.opsets.map((o) => `${o.domain || 'ai.onnx'} ${o.version}`).join(' + ');
  const task: Task = contract.task;
  return [
    {
      topic: 'model',
      text: `${contract.model.file}, ${(contract.model.sizeBytes / 1e6).toFixed(3)} MB, opset ${opsets}, IR ${contract.model.irVersion}, by ${`${contract.model.producer.name} ${contract.model.producer.version}`.trim()}, ${task}`,
    },
    ...facts.zipMaps.map((zipMap) => ({
      topic: 'graph',
      text: `ZipMap is cut when loading: ${zipMap.output} comes as one tensor, columns ${facts.classLabels?.values.join(', ')}`,
    })),
    ...facts.letterCase.inputs.map(({ of, change }) => ({
      topic: 'graph',
      text: `${of} is ${change}-cased before the graph, as Python does it: the image has no locales`,
    })),
    ...contract.inputs.map((spec) => ({ topic: 'input', text: `${spec.name} ${describeSpec(spec)}` })),
    ...contract.outputs.map((spec) => ({
      topic: 'output',
      text: `${spec.name} ${describeSpec(spec)}${spec.name === contract.prediction ? ', the prediction' : ''}`,
    })),
    ...(contract.labels
      ? [{ topic: 'labels', text: `${contract.labels.file ?? 'of the graph'}: ${contract.labels.names.join(', ')}` }]
      : []),
    ...(contract.metrics
      ? [
          {
            topic: 'metrics',
            text: Object.entries(contract.metrics)
              .map(([name, value]) => `${name} ${value}`)
              .join(', '),
          },
        ]
      : []),
  ];
}
