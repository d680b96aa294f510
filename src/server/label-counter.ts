import type { Contract } from '../contract/index.ts';
import type { Metrics } from './metrics.ts';
import { eachBest, type Part } from './render.ts';

export type LabelCounter = (part: Part) => void;

/** Counts each row's most likely label, once the row is known to be finite; undefined where the model has no labels. */
export function labelCounter({ labels, task }: Contract, metrics: Metrics): LabelCounter | undefined {
  if (!labels || task !== 'classification') return undefined;
  return (part) => eachBest(part, (column) => metrics.predicted(column));
}
