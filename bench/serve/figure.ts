import type { BenchModel } from './models/model-dir.ts';
import type { FigureResult } from './result.ts';

export interface FigureOptions {
  /** Short runs, to see that everything works; the numbers are rough. */
  readonly quick: boolean;
  /** How often each server is measured. */
  readonly rounds: number;
  /** The iris model, laid out. */
  readonly iris: BenchModel;
  /** Names of peers to leave out. */
  readonly without: readonly string[];
  readonly onProgress: (text: string) => void;
}

export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly run: (options: FigureOptions) => Promise<FigureResult>;
}
