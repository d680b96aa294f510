// A real cluster for a test: the one of e2e/cluster, or any other by KUBECONFIG and INLAY_E2E_REGISTRY.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { must, type Ran, ROOT } from './inlay.ts';

export interface Cluster {
  /** Runs kubectl; the rest of what it prints is for the caller to judge. */
  kubectl(args: readonly string[], stdin?: string): Promise<Ran>;
  /** Runs a program where the cluster's addresses can be reached. */
  exec(command: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Host and port of a registry: where it is pushed to, and as pods call it. */
  readonly registry: { readonly push: string; readonly pull: string };
}

const SCRIPT = join(ROOT, 'e2e', 'cluster', 'cluster');
const DIR = process.env.CLUSTER_DIR ?? '/tmp/inlay-cluster';

/** Brings the cluster up, unless one is up. */
export async function clusterUp(): Promise<Cluster> {
  const other = process.env.KUBECONFIG;
  if (other === undefined && !existsSync(join(DIR, 'admin.conf'))) {
    await must([SCRIPT, 'build']);
    await must([SCRIPT, 'up']);
  }
  const inside = (command: readonly string[]) => (other === undefined ? [SCRIPT, 'exec', ...command] : command);
  const given = process.env.INLAY_E2E_REGISTRY;
  return {
    kubectl: (args, stdin) => runWith(inside(['kubectl', ...args]), stdin),
    exec: (command, env) => runWith(inside(command), undefined, env),
    registry: given ? { push: given, pull: given } : { push: '127.0.0.1:5000', pull: '10.244.0.1:5000' },
  };
}

async function runWith(
  command: readonly string[],
  stdin = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdin: new Blob([stdin]),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr };
}
