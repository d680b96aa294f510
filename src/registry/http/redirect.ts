const MAX_REDIRECTS = 5;
const KEEPS_METHOD = new Set([307, 308]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export type Redirect =
  | { readonly kind: 'none' }
  | { readonly kind: 'follow'; readonly url: URL }
  | { readonly kind: 'refuse'; readonly why: string };

/**
 * Whether and where to follow an answer. Registries send blobs' readers to their storage; an answer that would make a POST
 * a GET is no redirect, and one from HTTPS to plain HTTP is refused. Who follows sends its login to the first origin alone.
 */
export function redirectOf(response: Response, method: string, from: URL, followed: number): Redirect {
  const location = response.headers.get('location');
  const reading = method === 'GET' || method === 'HEAD';
  if (location === null || !REDIRECTS.has(response.status)) return { kind: 'none' };
  if (!reading && !KEEPS_METHOD.has(response.status)) return { kind: 'none' };
  if (followed >= MAX_REDIRECTS) return { kind: 'refuse', why: `it redirects more than ${MAX_REDIRECTS} times` };
  if (!URL.canParse(location, from)) return { kind: 'refuse', why: 'it redirects to what is not an address' };
  const url = new URL(location, from);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return { kind: 'refuse', why: `it redirects to ${url.protocol}` };
  if (from.protocol === 'https:' && url.protocol === 'http:')
    return { kind: 'refuse', why: `it redirects from HTTPS to plain HTTP at ${url.host}` };
  return { kind: 'follow', url };
}
