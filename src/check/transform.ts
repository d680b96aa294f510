import type { Project } from '../contract/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Fact, Finding } from './finding.ts';
import { findingOf } from './finding-of.ts';

/** How long a call of a transform may take here, milliseconds: as in the server, unless it is told otherwise. */
const TIMEOUT_MS = 10_000;

/** A transform is written a second time, beside the one of training: without golden cases of both levels it is refused. */
export function transformUnproven({ contract, golden }: Project): Finding | undefined {
  if (!contract.transform || (golden && golden.cases.raw.length > 0)) return undefined;
  return {
    code: 'TRANSFORM_UNPROVEN',
    severity: 'error',
    path: contract.transform.file,
    message: golden
      ? `${contract.transform.file} has no raw golden cases: nothing proves that it does what training's preprocessing does`
      : `${contract.transform.file} has no golden cases, neither of tensors nor raw: nothing proves what it does`,
    hint: 'Write them at the end of training: write_golden(..., raw=[(Upload("image/png", data), {"prediction": ...})]).',
  };
}

export function transformFact({ contract, transform }: Project): Fact[] {
  if (!contract.transform || !transform) return [];
  const kilobytes = transform.bundle.files.reduce((sum, { content }) => sum + content.byteLength, 0) / 1e3;
  const { file, accepts, postprocess } = contract.transform;
  const answer = postprocess ? ', makes the answer' : '';
  return [
    { topic: 'transform', text: `${file}, ${kilobytes.toFixed(0)} kB bundled, takes ${accepts.join(', ')}${answer}` },
  ];
}

/**
 * Replays the raw golden cases through the transform and the model, by the very code that serves them.
 * @throws TRANSFORM_FAILED, TRANSFORM_TIMEOUT, OUTPUT_NOT_FINITE
 */
export async function checkTransform(
  { contract, golden, transform }: Project,
  engine: Engine,
): Promise<{ readonly facts: readonly Fact[]; readonly findings: readonly Finding[] }> {
  if (!transform || !contract.transform || !golden) return { facts: [], findings: [] };
  const { openTransformer, rawExceeds, rawMismatch, replayRaw } = await import('../server/index.ts');
  const file = contract.golden?.file ?? 'golden.json';
  const findings: Finding[] = [];
  const transformer = await openTransformer(transform.dir, engine, { transformTimeoutMs: TIMEOUT_MS });
  const replay = await replayRaw(transformer, golden.cases, (feeds, outputs) => engine.run(feeds, outputs), file);
  if (!replay.deterministic)
    findings.push({
      code: 'NOT_DETERMINISTIC',
      severity: 'error',
      path: contract.transform.file,
      message: 'the same request is answered differently a second time, and the transform is in between',
      hint: 'Look for random numbers, clocks and what it keeps from one request to the next.',
    });
  if (replay.worst && rawExceeds(replay))
    return { facts: [], findings: [...findings, findingOf(rawMismatch(replay.worst, file))] };
  const largest = replay.worst?.size.toPrecision(2) ?? 0;
  const text = `${replay.cases} raw requests from training: largest difference ${largest}, allowed ${golden.cases.rawTolerance}`;
  return { facts: [{ topic: 'golden', text }], findings };
}
