import { isInlayError } from '../error/index.ts';
import { type AuthFile, placeOf, readAuthFile } from './auth/auth-file.ts';
import { authFiles } from './auth/credentials.ts';
import { discard } from './http/answer-body.ts';
import type { RegistryOptions } from './options.ts';
import type { ImageReference } from './reference.ts';
import type { Registry } from './registry.ts';

/** A login that the machine's files hold: for a registry, or for a namespace in it. */
export interface KnownLogin {
  /** As the file has it: `registry.example.com/team`. */
  readonly name: string;
  readonly registry: string;
  /** A repository that the login is for; it need not be there. */
  readonly repository: string;
}

/** The logins of the machine's files, without those that only a `credsStore` knows. @throws CREDENTIALS_INVALID */
export async function knownLogins(options: Pick<RegistryOptions, 'env' | 'homeDir'>): Promise<readonly KnownLogin[]> {
  const { env } = options;
  const found = new Map<string, KnownLogin>();
  const add = (key: string) => {
    const { registry, namespace } = placeOf(key);
    const name = namespace === undefined ? registry : `${registry}/${namespace}`;
    found.set(name, { name, registry, repository: namespace === undefined ? PROBE : `${namespace}/${PROBE}` });
  };
  if (env.INLAY_REGISTRY_HOST && env.INLAY_REGISTRY_USERNAME) add(env.INLAY_REGISTRY_HOST);
  for (const path of authFiles(options)) for (const key of keysOf(await readAuthFile(path))) add(key);
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const PROBE = 'inlay/doctor';

function keysOf(file: AuthFile | undefined): string[] {
  return [...Object.keys(file?.auths ?? {}), ...Object.keys(file?.credHelpers ?? {})];
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
