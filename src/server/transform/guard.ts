import type { Log } from '../log.ts';

/**
 * Keeps what a transform leaves running behind its answer, a promise that nobody waits for or a timer, from ending the server when
 * it fails: it is logged.
 */
export function guardAgainstStrays(log: Log): void {
  const tell = (error: unknown) =>
    log.error('something that a transform left running failed', {
      code: 'TRANSFORM_FAILED',
      cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  process.on('unhandledRejection', tell);
  process.on('uncaughtException', tell);
}
