import { crane } from './go-programs.ts';
import { must } from './inlay.ts';
import type { Counted } from './registries.ts';

/** Leaves the requests for an image itself: what is attached to it, its documents and its lists are told from their digests. */
export async function besidesReferrers(
  sent: readonly Counted[],
  image: string,
  referrers: readonly string[],
  env: Record<string, string> = {},
): Promise<Counted[]> {
  const digests = new Set(referrers);
  for (const digest of referrers) {
    const text = await must([await crane(), 'manifest', '--insecure', `${image}@${digest}`], { env });
    const manifest = JSON.parse(text) as Record<'config' | 'subject', { digest: string }> & {
      layers: { digest: string }[];
    };
    for (const part of [manifest.config, ...manifest.layers]) digests.add(part.digest);
    digests.add(manifest.subject.digest.replace(':', '-'));
  }
  const rest: Counted[] = [];
  for (const request of sent) {
    const path = decodeURIComponent(request.path);
    // The session of an upload is begun by a POST that names no digest, right before: it goes with the PUT that ends it.
    if ([...digests].some((digest) => path.endsWith(digest) || path.includes(`digest=${digest}`))) {
      const begun = path.includes('/uploads/') ? rest.findLastIndex(({ method }) => method === 'POST') : -1;
      if (begun >= 0) rest.splice(begun, 1);
    } else rest.push(request);
  }
  return rest;
}
