import { join } from 'node:path';
import { DOCKER_HUB } from '../reference.ts';
import { type Credential, credentialIn, DOCKER_HUB_KEY, helpersFor, readAuthFile } from './auth-file.ts';
import { askHelper } from './credential-helper.ts';

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  /** False where the login of INLAY_REGISTRY_USERNAME would reach a registry that it may not be meant for. */
  readonly useEnvironment: boolean;
}

/**
 * The login for a repository, or undefined to stay anonymous. First the environment (INLAY_REGISTRY_USERNAME and
 * INLAY_REGISTRY_PASSWORD, for INLAY_REGISTRY_HOST alone where that is set), then the files in the order of `authFiles`; in a
 * file its helpers come before what it holds itself, as Docker has it.
 * @throws CREDENTIALS_INVALID
 */
export async function findCredential(
  registry: string,
  repository: string,
  sources: CredentialSources,
): Promise<Credential | undefined> {
  const { env } = sources;
  const username = env.INLAY_REGISTRY_USERNAME;
  const password = env.INLAY_REGISTRY_PASSWORD;
  const meant = env.INLAY_REGISTRY_HOST ? env.INLAY_REGISTRY_HOST === registry : sources.useEnvironment;
  if (username && password && meant) return { kind: 'password', username, password };
  for (const path of authFiles(sources)) {
    const file = await readAuthFile(path);
    if (!file) continue;
    for (const helper of helpersFor(file, registry)) {
      const credential = await askHelper(helper, registry === DOCKER_HUB ? DOCKER_HUB_KEY : registry, env);
      if (credential) return credential;
    }
    const credential = credentialIn(file, path, registry, repository);
    if (credential) return credential;
  }
  return undefined;
}

/** Files that were named before files at their usual place: Podman's, then Docker's. */
export function authFiles({ env, homeDir }: Pick<CredentialSources, 'env' | 'homeDir'>): string[] {
  return [
    env.REGISTRY_AUTH_FILE,
    env.DOCKER_CONFIG && join(env.DOCKER_CONFIG, 'config.json'),
    env.XDG_RUNTIME_DIR && join(env.XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    join(env.XDG_CONFIG_HOME || join(homeDir, '.config'), 'containers', 'auth.json'),
    env.DOCKER_CONFIG ? undefined : join(homeDir, '.docker', 'config.json'),
  ].filter((path): path is string => path !== undefined && path !== '');
}
