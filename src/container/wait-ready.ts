import { InlayError } from '../error/index.ts';
import type { RunningImage } from './running.ts';

/**
 * Waits until a started image answers its readiness probe; another's server, until it answers anything.
 * @throws CONTAINER_FAILED when it ends before, NOT_READY when it takes longer than `timeoutMs`
 */
export async function waitReady(running: RunningImage, options: { readonly timeoutMs: number }): Promise<void> {
  let ended: number | undefined;
  void running.exited.then((code) => {
    ended = code;
  });
  const until = performance.now() + options.timeoutMs;
  let answer = 'nothing';
  for (let pauseMs = 10; performance.now() < until; pauseMs = Math.min(200, pauseMs * 1.5)) {
    if (ended !== undefined) {
      throw new InlayError(
        'CONTAINER_FAILED',
        `the image ended with exit code ${ended} before it was ready${tail(running)}`,
        { hint: exitHint(ended) },
      );
    }
    try {
      const response = await fetch(running.foreign ? running.url : `${running.url}/health/ready`, {
        signal: AbortSignal.timeout(2_000),
      });
      await response.body?.cancel();
      if (response.ok || running.foreign) return;
      answer = `status ${response.status}`;
    } catch {
      answer = 'no answer';
    }
    await Bun.sleep(pauseMs);
  }
  throw new InlayError(
    'NOT_READY',
    `the image was not ready within ${options.timeoutMs / 1000} s; last: ${answer}${tail(running)}`,
    running.foreign
      ? {
          hint: `Nothing speaks HTTP at ${running.url}. Tell its server the port as it wants to be told, with --env, or with docker and podman name its own with --container-port.`,
        }
      : {},
  );
}

function tail(running: RunningImage): string {
  const lines = running.lastLines();
  return lines.length === 0 ? '' : `\n    ${lines.join('\n    ')}`;
}

function exitHint(code: number): string {
  return code === 137 ? 'It was killed: is the memory limit high enough?' : 'Its last lines say why.';
}
