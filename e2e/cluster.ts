// The cluster that e2e runs on: the one of e2e/cluster, which scripts/e2e.sh starts, or any other by KUBECONFIG and
// INLAY_E2E_REGISTRY (a registry over HTTP that its nodes pull from).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { must, type Ran, ROOT, run } from './inlay.ts';

const DIR = process.env.CLUSTER_DIR ?? '/tmp/inlay-cluster';
const NETNS = process.env.CLUSTER_NETNS ?? 'inlay-e2e';

export interface ExecOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
}

export interface Cluster {
  /** A file that names the cluster and its administrator. */
  readonly kubeconfig: string;
  /** HOST:PORT of the registry, here and for nodes. */
  readonly registry: string;
  /** Runs a program where the cluster's addresses are reachable. */
  exec(command: readonly string[], options?: ExecOptions): Promise<Ran>;
  /** The same for one that must succeed: its stdout. */
  must(command: readonly string[], options?: ExecOptions): Promise<string>;
  /** The command line that does so, to start a program oneself. */
  command(command: readonly string[]): string[];
  /** kubectl's stdout. @throws where it fails */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  /** The same where the caller judges. */
  tryKubectl(args: readonly string[], stdin?: string): Promise<Ran>;
  inlay(args: readonly string[], options?: ExecOptions): Promise<Ran>;
}

/** @throws where there is none */
export function cluster(): Cluster {
  const other = process.env.INLAY_E2E_REGISTRY;
  const kubeconfig = other ? (process.env.KUBECONFIG ?? '') : join(DIR, 'admin.conf');
  if (!existsSync(kubeconfig))
    throw new Error(
      `no cluster: ${kubeconfig || 'KUBECONFIG'} is not there. npm run e2e starts one (e2e/cluster/cluster up)`,
    );
  const command = (words: readonly string[]) =>
    other ? [...words] : ['nsenter', `--net=/run/netns/${NETNS}`, ...words];
  const registry = other ?? '10.244.0.1:5000';
  const env = { KUBECONFIG: kubeconfig };
  const exec = (words: readonly string[], options: ExecOptions = {}) =>
    run(command(words), { ...options, env: { ...env, ...options.env } });
  const input = (stdin: string | undefined) => (stdin === undefined ? {} : { stdin });
  return {
    kubeconfig,
    registry,
    command,
    exec,
    must: (words, options = {}) => must(command(words), { ...options, env: { ...env, ...options.env } }),
    kubectl: (args, stdin) => must(command([kubectlOf(), ...args]), { env, ...input(stdin) }),
    tryKubectl: (args, stdin) => run(command([kubectlOf(), ...args]), { env, ...input(stdin) }),
    inlay: (args, options) => exec([join(ROOT, 'bin', 'inlay'), ...args], options),
  };
}

/** The recipe's own kubectl, of the cluster's version. */
function kubectlOf(): string {
  if (process.env.INLAY_E2E_KUBECTL !== undefined) return process.env.INLAY_E2E_KUBECTL;
  if (process.env.INLAY_E2E_REGISTRY !== undefined) return 'kubectl';
  return join(
    Bun.spawnSync([join(ROOT, 'e2e', 'cluster', 'cluster'), 'bin'])
      .stdout.toString()
      .trim(),
    'kubectl',
  );
}
