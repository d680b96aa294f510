import type { Kube } from '../cluster/index.ts';

/** The APIs of all contexts that are named; the kubeconfig's own where none is. */
export async function openKubes(
  flags: { readonly context: readonly string[]; readonly allContexts?: true | undefined },
  signal: AbortSignal,
): Promise<Kube[]> {
  const { connect, contextsOf, Kube } = await import('../cluster/index.ts');
  const kubeconfig = process.env.KUBECONFIG || undefined;
  const names = flags.allContexts ? await contextsOf({ kubeconfig }) : [...new Set(flags.context)];
  const contexts = names.length === 0 ? [undefined] : names;
  return Promise.all(
    contexts.map(async (context) => new Kube(await connect({ kubeconfig, context }), { signal, patienceMs: 15_000 })),
  );
}
