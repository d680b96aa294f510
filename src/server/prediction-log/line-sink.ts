import { InlayError } from '../../error/index.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import { LineFile } from './line-file.ts';

/** Where log lines go; one that is not done is not given more. */
export interface LineSink {
  /** Resolves to false where the lines are lost. @param lines whole lines, their ends included */
  write(lines: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * What PREDICTION_LOG names; undefined where it names nothing.
 * @param stdout the file descriptor of stdout
 * @throws ENVIRONMENT_INVALID when the file cannot be written
 */
export function openPredictionSink(
  { predictionLog: to, predictionLogMaxBytes }: Pick<Settings, 'predictionLog' | 'predictionLogMaxBytes'>,
  stdout: number,
  log: Log,
): LineSink | undefined {
  if (to === undefined) return undefined;
  if (to === 'stdout') return LineFile.onDescriptor(stdout, log);
  try {
    return LineFile.open(to, predictionLogMaxBytes, log);
  } catch (cause) {
    throw new InlayError('ENVIRONMENT_INVALID', `PREDICTION_LOG=${to}: ${(cause as Error).message}`, {
      cause,
      hint: 'Name a file in a folder that the server may write, an emptyDir volume for example, or stdout.',
    });
  }
}
