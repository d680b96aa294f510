import { InlayError } from '../error/index.ts';

/** What `registry/repository:tag@digest` names, with Docker's defaults filled in. */
export interface ImageReference {
  /** Host and port as written: `docker.io`, `localhost:5000`, `registry.example.com`. */
  readonly registry: string;
  /** Path in the registry: `library/debian`, `ml/iris`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  /** False where the text named no registry, so that docker.io was assumed. */
  readonly registryNamed: boolean;
}

export const DOCKER_HUB = 'docker.io';

// The grammar of github.com/distribution/reference (regexp.go), which Docker, containerd and Podman share.
const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const NAME_LENGTH = 255;

/**
 * Reads an image's name.
 * @example parseReference('debian') → { registry: 'docker.io', repository: 'library/debian', registryNamed: false }
 * @throws REFERENCE_INVALID
 */
export function parseReference(text: string): ImageReference {
  const [named, digest, ...more] = text.split('@');
  if (named === undefined || more.length > 0) throw invalid(text, 'there is more than one @');
  if (digest !== undefined && !DIGEST.test(digest))
    throw invalid(text, `${digest || 'an empty digest'} is not sha256: and 64 hexadecimal digits`);
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const name = tagged ? named.slice(0, colon) : named;
  const tag = tagged ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag))
    throw invalid(text, `a tag has 1 to 128 of A-Z a-z 0-9 _ . - and starts with none of . -, unlike "${tag}"`);
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const registryNamed = slash > 0 && (/[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const registry = registryNamed ? hubAlias(first) : DOCKER_HUB;
  const path = registryNamed ? name.slice(slash + 1) : name;
  const repository = registry === DOCKER_HUB && path !== '' && !path.includes('/') ? `library/${path}` : path;
  if (!DOMAIN.test(registry)) throw invalid(text, `"${registry}" is not a host`);
  if (!PATH.test(repository))
    throw invalid(text, `"${path}" is not a repository: lower case, digits, and . _ - / between them`);
  if (registry.length + repository.length + 1 > NAME_LENGTH)
    throw invalid(text, `it is longer than ${NAME_LENGTH} characters`);
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    registryNamed,
  };
}

/** `registry/repository`, then `:tag` and `@digest` where there are any. */
export function formatReference(reference: Omit<ImageReference, 'registryNamed'>): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** What to ask the registry for: the digest where there is one, else the tag, else `latest`. */
export function identifierOf(reference: ImageReference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

/** Docker Hub answers to several names; credentials and images are the same. */
function hubAlias(host: string): string {
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? DOCKER_HUB : host;
}

function invalid(text: string, why: string): InlayError {
  return new InlayError('REFERENCE_INVALID', `"${text}" is not the name of an image: ${why}`, {
    hint: 'Expected REGISTRY/REPOSITORY:TAG, for example registry.example.com/ml/iris:0.0.1.',
  });
}

/** The reference where it names a registry by itself; undefined for a name that would only by custom mean Docker Hub. */
export function registryReference(text: string): ImageReference | undefined {
  try {
    const reference = parseReference(text);
    return reference.registryNamed ? reference : undefined;
  } catch {
    return undefined;
  }
}
