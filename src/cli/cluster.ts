import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Kube, SessionOptions } from '../cluster/index.ts';
import { InlayError, isInlayError } from '../error/index.ts';
import { createOutput } from './output.ts';

/** The options of every command that reaches a cluster, named as kubectl names them. */
export interface ClusterFlags {
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  /** Then nothing but one document is told. */
  readonly json?: boolean | undefined;
}

export const CONTEXT = ['--context <name>', "a context of the kubeconfig (default: the kubeconfig's own)"] as const;
export const NAMESPACE = [
  '-n, --namespace <name>',
  "the namespace (default: inlay.yaml's, else the context's)",
] as const;

/** The API of the cluster that the flags name; Ctrl-C stops its work. @param work gets the namespace that the flags or the context name */
export async function withCluster<T>(
  flags: ClusterFlags,
  work: (kube: Kube, namespace: string) => Promise<T>,
): Promise<T> {
  const { connect, Kube } = await import('../cluster/index.ts');
  const connection = await connect({ kubeconfig: process.env.KUBECONFIG || undefined, context: flags.context });
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    return await work(
      new Kube(connection, { signal: abort.signal, onOutage: createOutput(flags.json === true).progress }),
      namespaceOf(flags.namespace) ?? connection.namespace,
    );
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

/** @throws USAGE */
export function namespaceOf(name: string | undefined): string | undefined {
  if (name === undefined || /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw new InlayError('USAGE', `--namespace ${name} is no name of a namespace`, {
    hint: 'Lower-case letters, digits and hyphens, 63 at most.',
  });
}

/** Who acts, as history tells it: of CI systems whoever started the job. */
export function actor(): Pick<SessionOptions, 'actor' | 'holder'> {
  const { env } = process;
  const ci = env.INLAY_ACTOR || env.GITHUB_ACTOR || env.GITLAB_USER_LOGIN;
  const name = ci || `${userName()}@${hostname()}`;
  return { actor: name, holder: `${name} on ${hostname()}, process ${process.pid}, ${randomUUID().slice(0, 8)}` };
}

function userName(): string {
  const { USER, LOGNAME } = process.env;
  try {
    // Bun knows `unknown` where the environment does not say.
    return (
      [USER, LOGNAME, userInfo().username].find((name) => name && name !== 'unknown') ?? `uid ${process.getuid?.()}`
    );
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

/**
 * The service that a command is about: its name, or in a project's folder that of inlay.yaml, with the namespace it names.
 * @throws PROJECT_NOT_FOUND
 */
export async function serviceOf(
  name: string | undefined,
  config?: string,
  environment?: string,
): Promise<{ readonly service: string; readonly namespace: string | undefined }> {
  if (name !== undefined) return { service: name, namespace: undefined };
  const { readConfig, resolveDeploy } = await import('../contract/index.ts');
  const project = await readConfig(config ?? '.').catch((error: unknown) => {
    if (config !== undefined || !isInlayError(error) || error.code !== 'PROJECT_NOT_FOUND') throw error;
    throw new InlayError(error.code, error.message, {
      cause: error,
      hint: 'Name the service, or go to the folder of its project.',
    });
  });
  return { service: project.name, namespace: resolveDeploy(project, environment).namespace };
}
