import { describeSpec, type OpaqueProject } from '../contract/index.ts';
import type { Fact, Finding } from './finding.ts';
import { isTooLarge, tooLarge } from './model.ts';

/** What can be told of a model that inlay does not read: its files, and what a person wrote. */
export function opaqueReport({ contract, config }: OpaqueProject): {
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
} {
  const { files, sizeBytes, target, digest } = contract.model;
  const named = (role: string, specs: typeof contract.inputs) =>
    specs.map((spec) => ({ topic: role, text: `${spec.name} ${describeSpec(spec)}, as inlay.yaml says` }));
  return {
    facts: [
      {
        topic: 'model',
        text: `${files} ${files === 1 ? 'file' : 'files'}, ${(sizeBytes / 1e6).toFixed(3)} MB, ${digest}`,
      },
      { topic: 'target', text: `${target} of ${config.base}` },
      ...named('input', contract.inputs),
      ...named('output', contract.outputs),
    ],
    findings: [
      ...(isTooLarge(sizeBytes) ? [tooLarge(sizeBytes)] : []),
      {
        code: 'MODEL_OPAQUE',
        severity: 'info',
        message: 'inlay does not read this model: whether its server loads it, and what it answers, is not checked',
        hint: 'Try it with inlay build and inlay run before a release.',
      },
    ],
  };
}
