import { connect, Kube } from '../cluster/index.ts';
import { ENGINES, whyNot } from '../container/index.ts';
import { isInlayError } from '../error/index.ts';
import { checkLogin, type ImageReference, type KnownLogin, knownLogins, type Registry } from '../registry/index.ts';
import type { Env, Examined } from './finding.ts';

/** What starts an image here. */
export async function examineEngines(env: Env, uid: number | undefined): Promise<Examined> {
  const common = { name: 'container', neededFor: ['run'] } as const;
  const machine = { platform: process.platform, uid };
  const reasons: string[] = [];
  for (const engine of ENGINES) {
    const reason = await whyNot(engine, env, machine);
    if (reason === undefined && engine !== 'process') return { ...common, state: 'ok', detail: `${engine} works` };
    if (reason === undefined)
      return {
        ...common,
        state: 'warning',
        detail: `as a plain process only, without limits and isolation: ${reasons.join('; ')}`,
        hint: 'Install docker, podman or nerdctl, or run as root with runc.',
      };
    reasons.push(reason);
  }
  return {
    ...common,
    state: 'missing',
    detail: reasons.join('; '),
    hint: 'Install docker, podman or nerdctl.',
  };
}

/**
 * The registries that this machine has logins for, and those of a project, each asked whether it lets us in.
 * @param wanted repositories that the project names
 */
export async function examineRegistries(
  registry: Registry,
  wanted: readonly ImageReference[],
  signal: AbortSignal,
): Promise<readonly Examined[]> {
  const neededFor = ['push'] as const;
  let known: readonly KnownLogin[];
  try {
    known = await knownLogins(registry.options);
  } catch (error) {
    return [{ name: 'login', neededFor, state: 'missing', ...said(error) }];
  }
  // Where a file has a login for the registry as a whole, the project's own repository is what to ask for.
  const projects = wanted.map(({ registry: host, repository }) => ({ name: host, registry: host, repository }));
  const all = new Map([...known, ...projects].map((login) => [login.name, login]));
  const hosts = new Set(known.map((login) => login.registry));
  if (all.size === 0)
    return [
      {
        name: 'login',
        neededFor,
        state: 'warning',
        detail: 'no login for any registry is known here',
        hint: 'Log in with docker login or podman login, or set INLAY_REGISTRY_USERNAME and INLAY_REGISTRY_PASSWORD.',
      },
    ];
  return Promise.all(
    [...all.values()].map(async (reference): Promise<Examined> => {
      const name = `login ${reference.name}`;
      try {
        await checkLogin(registry, reference, signal);
        const how = hosts.has(reference.registry) ? 'it takes the login' : 'it answers without a login';
        return { name, neededFor, state: 'ok', detail: how };
      } catch (error) {
        if (signal.aborted) throw error;
        return { name, neededFor, state: 'missing', ...said(error) };
      }
    }),
  );
}

/** The cluster of the kubeconfig. @param kubeconfig as KUBECONFIG has it */
export async function examineCluster(
  options: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  signal: AbortSignal,
): Promise<Examined> {
  const common = { name: 'cluster', neededFor: ['deploy'] } as const;
  try {
    const connection = await connect(options);
    const kube = new Kube(connection, { signal, patienceMs: 5000 });
    const version = await kube.json({ step: 'asking for the version', path: '/version' });
    const { gitVersion } = version as { gitVersion?: string };
    return { ...common, state: 'ok', detail: `${connection.context}: Kubernetes ${gitVersion ?? 'of no version'}` };
  } catch (error) {
    if (signal.aborted) throw error;
    return { ...common, state: 'missing', ...said(error) };
  }
}

/** Of COSIGN_PASSWORD only whether it is there. */
export function examineSigning(env: Env): Examined {
  const set = env.COSIGN_PASSWORD !== undefined;
  return {
    name: 'signing',
    neededFor: ['sign'],
    state: set ? 'ok' : 'warning',
    detail: set ? 'COSIGN_PASSWORD is set' : 'COSIGN_PASSWORD is not set: only keys without a password can sign',
    ...(set ? {} : { hint: 'Set it to the password of the key of --sign, as a secret of the CI system.' }),
  };
}

function said(error: unknown): Pick<Examined, 'detail' | 'hint'> {
  return {
    detail: error instanceof Error ? error.message : String(error),
    hint: isInlayError(error) ? error.hint : undefined,
  };
}
