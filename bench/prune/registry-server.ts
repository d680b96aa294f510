// A registry and a Kubernetes API that answer in the shape of recorded ones (docker-registry's headers, with the referrers API), for many
// repositories. Arguments: REPOSITORIES TAGS. Prints one line of JSON with its addresses; GET /counts tells what was asked.
import { createHash } from 'node:crypto';

const [repositories = 200, tags = 500] = process.argv.slice(2).map(Number);
const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const OCI = 'application/vnd.oci';
const LAYER = `${OCI}.image.layer.v1.tar+zstd`;

type Kind = 'index' | 'manifest' | 'sbom' | 'provenance';
const described = (text: string, mediaType: string) => ({ mediaType, digest: sha(text), size: text.length });
const SHARED = ['base', 'runtime', 'server'].map((kind, i) => ({
  mediaType: LAYER,
  digest: sha(kind),
  size: [4_300_000, 54_600_000, 400_000][i] as number,
  annotations: { 'inlay.layer': kind },
}));

/** A manifest's text: made anew each time, as half a million of them are not held. */
function textOf(kind: Kind, repository: number, tag: number): string {
  const own = `${repository}/${tag}`;
  if (kind === 'manifest')
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: `${OCI}.image.manifest.v1+json`,
      config: { mediaType: `${OCI}.image.config.v1+json`, digest: sha(`config ${own}`), size: 5400 },
      layers: [
        ...SHARED,
        {
          mediaType: `${OCI}.image.layer.v1.tar`,
          digest: sha(`model ${own}`),
          size: 3_100_000 + tag,
          annotations: { 'inlay.layer': 'model' },
        },
      ],
      annotations: {
        'org.opencontainers.image.title': `model-${repository}`,
        'org.opencontainers.image.version': `0.${tag}.0`,
        'org.opencontainers.image.authors': 'flowers-team',
        'inlay.version': '0.1.0',
        'inlay.task': 'classification',
        'inlay.model.digest': sha(`weights ${own}`),
      },
    });
  const manifest = described(textOf('manifest', repository, tag), `${OCI}.image.manifest.v1+json`);
  if (kind === 'index')
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: `${OCI}.image.index.v1+json`,
      manifests: [{ ...manifest, platform: { architecture: 'amd64', os: 'linux' } }],
      annotations: {
        'org.opencontainers.image.title': `model-${repository}`,
        'org.opencontainers.image.version': `0.${tag}.0`,
      },
    });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: `${OCI}.image.manifest.v1+json`,
    artifactType: kind === 'sbom' ? 'application/vnd.cyclonedx+json' : 'application/vnd.in-toto+json',
    config: { mediaType: `${OCI}.empty.v1+json`, digest: sha('{}'), size: 2 },
    layers: [{ mediaType: 'application/json', digest: sha(`${kind} ${own}`), size: 9000 }],
    subject: manifest,
  });
}

const KINDS: readonly Kind[] = ['index', 'manifest', 'sbom', 'provenance'];
const digests: { readonly digest: string; readonly kind: Kind }[][] = [];
const places = new Map<string, number>();
for (let place = 0; place < repositories * tags; place++) {
  const all = KINDS.map((kind) => ({ digest: sha(textOf(kind, Math.floor(place / tags), place % tags)), kind }));
  digests.push(all);
  for (const [k, { digest }] of all.entries()) places.set(digest, place * KINDS.length + k);
}

const counts: Record<string, number> = {};
const registry = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === '/counts') return Response.json(counts);
    const [, repo = '', kind = '', name = ''] = /^\/v2\/ml\/model-(\d+)\/(\w+)\/([^/]+)$/.exec(url.pathname) ?? [];
    const word = `${request.method} ${kind}`;
    counts[word] = (counts[word] ?? 0) + 1;
    const repository = Number(repo);
    if (kind === 'tags')
      // Docker's registry 2.8 gives all at once, whatever is asked.
      return Response.json({ name: `ml/model-${repo}`, tags: Array.from({ length: tags }, (_, i) => `0.${i}.0`) });
    const tagged = /^0\.(\d+)\.0$/.exec(name)?.[1];
    const place = tagged === undefined ? places.get(name) : (repository * tags + Number(tagged)) * KINDS.length;
    if (place === undefined) return new Response('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', { status: 404 });
    const at = Math.floor(place / KINDS.length);
    const what = KINDS[place % KINDS.length] as Kind;
    if (kind === 'referrers') {
      const found = what === 'manifest' ? (digests[at] ?? []).slice(2) : [];
      return Response.json(
        {
          schemaVersion: 2,
          mediaType: `${OCI}.image.index.v1+json`,
          manifests: found.map(({ digest }) => ({ mediaType: `${OCI}.image.manifest.v1+json`, digest, size: 600 })),
        },
        { headers: { 'content-type': `${OCI}.image.index.v1+json` } },
      );
    }
    const digest = digests[at]?.[place % KINDS.length]?.digest ?? '';
    const headers = {
      'content-type': what === 'index' ? `${OCI}.image.index.v1+json` : `${OCI}.image.manifest.v1+json`,
      'docker-content-digest': digest,
      'docker-distribution-api-version': 'registry/2.0',
      etag: `"${digest}"`,
      'x-content-type-options': 'nosniff',
    };
    return request.method === 'HEAD'
      ? new Response(null, { headers })
      : new Response(textOf(what, at === -1 ? 0 : Math.floor(at / tags), at % tags), { headers });
  },
});
const host = `127.0.0.1:${registry.port}`;

// One service for each repository: its newest version runs, an older one is scaled to 0.
const image = (repository: number, tag: number) =>
  `${host}/ml/model-${repository}:0.${tag}.0@${digests[repository * tags + tag]?.[0]?.digest}`;
const workload = (name: string, image_: string, replicas: number) => ({
  metadata: { name, namespace: 'ml' },
  spec: { replicas, template: { spec: { containers: [{ name: 'server', image: image_ }] } } },
});
const api = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname.endsWith('/namespaces/kube-system')) return Response.json({ metadata: { uid: 'bench' } });
    const items = url.pathname.endsWith('/deployments')
      ? Array.from({ length: repositories }, (_, i) => [
          workload(`svc-${i}`, image(i, tags - 1), 3),
          workload(`old-${i}`, image(i, 0), 0),
        ]).flat()
      : [];
    return Response.json({ metadata: { resourceVersion: '1', continue: '' }, items });
  },
});
console.log(JSON.stringify({ api: api.url.href, host }));
