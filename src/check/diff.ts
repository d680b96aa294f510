import type { AnyContract } from '../contract/index.ts';
import { type AnsweringModel, type AnswersDiff, diffAnswers } from './answers-diff.ts';
import { type Change, type DiffVerdict, diffContracts, verdictOf } from './contract-diff.ts';

/** One of two that are compared. */
export interface DiffSide {
  readonly contract: AnyContract;
  /** Where it can be run here. */
  readonly model?: AnsweringModel | undefined;
}

export interface ModelDiff {
  readonly verdict: DiffVerdict;
  readonly changes: readonly Change[];
  /** Undefined where a model is not here, or neither has golden cases that both models take. */
  readonly answers: AnswersDiff | undefined;
}

/**
 * What changes when `to` replaces `from`: contracts by rule, and both models run on the golden inputs of either.
 * @param others what else differs, such as libraries, and breaks nobody @throws as Engine.load
 */
export async function diffModels(
  from: DiffSide,
  to: DiffSide,
  others: readonly Omit<Change, 'verdict'>[] = [],
): Promise<ModelDiff> {
  const changes = [
    ...diffContracts(from.contract, to.contract),
    ...others.map((change) => ({ ...change, verdict: 'compatible' as const })),
  ];
  const answers = from.model && to.model ? await diffAnswers(from.model, to.model) : undefined;
  return { verdict: verdictOf(changes), changes, answers };
}
