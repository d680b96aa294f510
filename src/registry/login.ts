import { isInlayError } from '../error/index.ts';
import { type AuthFile, hostIn, readAuthFile } from './auth/auth-file.ts';
import { authFiles } from './auth/credentials.ts';
import { discard } from './http/answer-body.ts';
import type { RegistryOptions } from './options.ts';
import type { ImageReference } from './reference.ts';
import type { Registry } from './registry.ts';

/** The registries that the machine's login files name, without those that only a `credsStore` knows. @throws CREDENTIALS_INVALID */
export async function knownLogins(options: Pick<RegistryOptions, 'env' | 'homeDir'>): Promise<readonly string[]> {
  const { env } = options;
  const hosts = new Set<string>();
  if (env.INLAY_REGISTRY_HOST && env.INLAY_REGISTRY_USERNAME) hosts.add(env.INLAY_REGISTRY_HOST);
  for (const path of authFiles(options)) for (const host of hostsIn(await readAuthFile(path))) hosts.add(host);
  return [...hosts].sort();
}

function hostsIn(file: AuthFile | undefined): string[] {
  return [...Object.keys(file?.auths ?? {}), ...Object.keys(file?.credHelpers ?? {})].map(hostIn);
}

/**
 * Whether a registry takes the login that this machine has for it, asked without reading or writing an image.
 * @throws REGISTRY_UNAUTHORIZED, REGISTRY_UNREACHABLE, CREDENTIALS_INVALID and those of every request
 */
export async function checkLogin(
  registry: Registry,
  reference: Pick<ImageReference, 'registry' | 'repository'>,
  signal?: AbortSignal,
): Promise<void> {
  const repository = registry.open(reference, { actions: ['pull'], signal });
  const step = 'logging in';
  try {
    await discard(
      await repository.request({ step, method: 'GET', target: new URL('/v2/', repository.url('x')), expect: [200] }),
    );
  } catch (error) {
    // Some answer 404 to whoever is in, and 401 to whoever is not.
    if (!isInlayError(error) || error.code !== 'REGISTRY_NOT_FOUND') throw error;
  }
}
