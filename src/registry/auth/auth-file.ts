import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import { DOCKER_HUB } from '../reference.ts';

/** How to log in. `identity` is a refresh token, `bearer` a ready token. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity'; readonly token: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** The key under which Docker keeps Docker Hub's login, in files and in helpers. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
type Entry = z.infer<typeof entrySchema>;

/** The part of Docker's config.json and Podman's auth.json that logins live in. */
const authFileSchema = z.object({
  auths: z.record(z.string(), entrySchema.nullable()).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().optional(),
});
export type AuthFile = z.infer<typeof authFileSchema>;

/** Undefined when there is no such file. @throws CREDENTIALS_INVALID */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw unusable(path, 'it cannot be read', cause);
  }
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the file, and so a secret.
    throw unusable(path, 'it is not JSON');
  }
  const parsed = authFileSchema.safeParse(value);
  if (!parsed.success) throw unusable(path, `${parsed.error.issues[0]?.path.join('.')} is not what it should be`);
  return parsed.data;
}

/** The names of helper programs that the file wants asked for this registry, in order. */
export function helpersFor(file: AuthFile, registry: string): string[] {
  const own = Object.entries(file.credHelpers ?? {}).find(([key]) => hostOf(key) === registry)?.[1];
  return [own, file.credsStore].filter((name): name is string => name !== undefined && name !== '');
}

/**
 * The login that the file holds for a repository: Podman keeps them also by namespace (`host/team`), the longest match
 * counts (containers-auth.json(5)); Docker keeps them by host, or as `https://host/v1/`.
 * @throws CREDENTIALS_INVALID
 */
export function credentialIn(
  file: AuthFile,
  path: string,
  registry: string,
  repository: string,
): Credential | undefined {
  const auths = file.auths ?? {};
  const parts = [registry, ...repository.split('/')];
  for (let length = parts.length; length > 0; length--) {
    const credential = credentialOf(auths[parts.slice(0, length).join('/')], path);
    if (credential) return credential;
  }
  for (const [key, entry] of Object.entries(auths)) {
    if (hostOf(key) !== registry) continue;
    const credential = credentialOf(entry, path);
    if (credential) return credential;
  }
  return undefined;
}

/** What a key is for: a registry, or with Podman's `host/team` the repositories of a namespace in it. */
export function placeOf(key: string): { readonly registry: string; readonly namespace: string | undefined } {
  const [host = '', ...parts] = hostOf(key).split('/');
  return { registry: hostOf(host), namespace: parts.length > 0 ? parts.join('/') : undefined };
}

/** `https://host/v1/` → `host`; a key that names a namespace is no host. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? DOCKER_HUB : host;
}

function credentialOf(entry: Entry | null | undefined, path: string): Credential | undefined {
  if (!entry) return undefined;
  if (entry.registrytoken) return { kind: 'bearer', token: entry.registrytoken };
  if (entry.identitytoken) return { kind: 'identity', token: entry.identitytoken };
  if (entry.username && entry.password !== undefined)
    return { kind: 'password', username: entry.username, password: entry.password };
  if (!entry.auth) return undefined;
  const plain = Buffer.from(entry.auth, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  if (colon < 1) throw unusable(path, 'an "auth" in it is not base64 of NAME:PASSWORD');
  // Docker pads with NUL bytes.
  return { kind: 'password', username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, '') };
}

function unusable(path: string, why: string, cause?: unknown): InlayError {
  return new InlayError('CREDENTIALS_INVALID', `the login file ${path} cannot be used: ${why}`, {
    cause,
    hint: 'Mend it, or make it anew with docker login or podman login.',
  });
}
