import { InlayError, isInlayError } from '../../error/index.ts';

/** Where an API server is, and how it knows us. */
export interface Connection {
  /** The kubeconfig's context; `in-cluster` in a pod. */
  readonly context: string;
  /** The context's namespace, `default` where it has none. */
  readonly namespace: string;
  readonly server: URL;
  readonly proxy: string | undefined;
  /** Asked for each request, as tokens are renewed. */
  authenticate(): Promise<Authentication>;
}

export interface Authentication {
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly headers: Readonly<Record<string, string>>;
}

export interface ConnectOptions {
  /** Files as KUBECONFIG lists them; otherwise ~/.kube/config, otherwise the pod's own service account. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** The names of a kubeconfig's contexts. @throws KUBECONFIG_INVALID */
export async function contextsOf(options: ConnectOptions): Promise<string[]> {
  return (await loadConfig(options)).getContexts().map(({ name }) => name);
}

/**
 * Reads the kubeconfig as kubectl does: certificates, tokens, exec plugins and OIDC.
 * @throws KUBECONFIG_INVALID
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const config = await loadConfig(options);
  if (options.context !== undefined) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(options.context))
      throw invalid(`the kubeconfig has no context ${options.context}`, `It has ${known.join(', ') || 'none'}.`);
    config.setCurrentContext(options.context);
  }
  const context = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (!cluster || !URL.canParse(cluster.server))
    throw invalid(
      'the kubeconfig names no cluster to talk to',
      'Set KUBECONFIG or --context; kubectl config get-contexts lists them.',
    );
  return {
    // As the client calls a pod's own service account.
    context: context === '' || context === 'inClusterContext' ? 'in-cluster' : context,
    namespace: config.getContextObject(context)?.namespace ?? 'default',
    server: new URL(cluster.server),
    proxy: cluster.proxyUrl,
    authenticate: async () => {
      const options: import('node:https').RequestOptions & { servername?: string } = {};
      try {
        await config.applyToHTTPSOptions(options);
      } catch (cause) {
        throw new InlayError('KUBECONFIG_INVALID', `the login of context ${context} cannot be used: ${said(cause)}`, {
          cause,
          hint: 'Try kubectl get pods with the same context.',
        });
      }
      const { ca, cert, key, servername, rejectUnauthorized, headers, auth } = options;
      const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
      return {
        tls: {
          ...some('ca', ca?.toString()),
          ...some('cert', cert?.toString()),
          ...some('key', key?.toString()),
          ...some('serverName', servername),
          ...some('rejectUnauthorized', rejectUnauthorized),
        },
        headers: { ...basic, ...(headers as Record<string, string> | undefined) },
      };
    },
  };
}

/** What the library takes for the cluster where it has found none. */
const NOTHING_FOUND = 'http://localhost:8080';

function noKubeconfig(): InlayError {
  return invalid(
    'no cluster is known: KUBECONFIG is not set, there is no ~/.kube/config, and this is no pod',
    'Set KUBECONFIG to a file that kubectl takes.',
  );
}

async function loadConfig({ kubeconfig }: ConnectOptions) {
  // Half of a second to load: only what reaches a cluster pays for it.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    const [first, ...others] = (kubeconfig ?? '').split(':').filter((path) => path !== '');
    if (first === undefined) {
      config.loadFromDefault();
      if (config.getCurrentCluster()?.server === NOTHING_FOUND) throw noKubeconfig();
    } else {
      config.loadFromFile(first);
      for (const path of others) {
        const further = new KubeConfig();
        further.loadFromFile(path);
        config.mergeConfig(further);
      }
    }
  } catch (cause) {
    if (isInlayError(cause)) throw cause;
    throw invalid(
      `the kubeconfig cannot be read: ${said(cause)}`,
      'Set KUBECONFIG to a file that kubectl takes.',
      cause,
    );
  }
  return config;
}

function some<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}

function invalid(message: string, hint: string, cause?: unknown): InlayError {
  return new InlayError('KUBECONFIG_INVALID', message, { hint, cause });
}

function said(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
