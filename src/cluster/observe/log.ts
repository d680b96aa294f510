import { InlayError } from '../../error/index.ts';
import { type Kube, pathOf, RESOURCES } from '../kube/index.ts';

export interface LogOptions {
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  /** Of the container before the last restart. */
  readonly previous?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
}

/** What a pod has said so far. */
export function podLog(kube: Kube, namespace: string, pod: string, options: LogOptions): Promise<string> {
  return kube.text({
    step: `reading the log of Pod ${namespace}/${pod}`,
    path: logPath(namespace, pod),
    query: { ...options },
  });
}

/** What a pod says from now on, line by line. */
export async function* followLog(
  kube: Kube,
  namespace: string,
  pod: string,
  options: LogOptions,
): AsyncGenerator<string> {
  const bytes = await kube.stream({
    step: `following the log of Pod ${namespace}/${pod}`,
    path: logPath(namespace, pod),
    query: { ...options, follow: true },
  });
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of bytes) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    if (kube.signal?.aborted) return;
    throw new InlayError('CLUSTER_UNREACHABLE', `the log of Pod ${namespace}/${pod} in ${kube.context} broke off`, {
      cause,
      hint: 'Follow it again.',
    });
  }
  if (rest !== '') yield rest;
}

function logPath(namespace: string, pod: string): string {
  return `${pathOf(RESOURCES.pod, namespace, pod)}/log`;
}
