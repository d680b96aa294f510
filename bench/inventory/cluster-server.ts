// A Kubernetes API and a registry that answer as real ones were recorded to (pod.json, deployment.json), for many objects.
// Arguments: DEPLOYMENTS IMAGES. Prints one line of JSON with its addresses; POST /move/N makes deployment N run another image.
import { createHash } from 'node:crypto';
import { configSchema } from '../../src/image/index.ts';
import deploymentText from './deployment.json' with { type: 'json' };
import podText from './pod.json' with { type: 'json' };

const [deployments = 10_000, images = 2000] = process.argv.slice(2).map(Number);
const PODS = 3;
const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

// Registry
const blobs = new Map<string, string>();
const requests: Record<string, number> = {};
const put = (value: unknown, mediaType: string) => {
  const text = JSON.stringify(value);
  const digest = sha(text);
  blobs.set(digest, text);
  return { mediaType, digest, size: text.length };
};
const LAYER = 'application/vnd.oci.image.layer.v1.tar+zstd';
const libraries = Object.fromEntries(
  [
    'bun',
    'onnxruntime',
    'libc6',
    'libstdc++6',
    'libgcc-s1',
    'tzdata',
    'netbase',
    'ca-certificates',
    'base-files',
    'gcc-12-base',
  ].map((name) => [name, '1.30.0']),
);
const indexes = Array.from({ length: images + 1 }, (_, i) => {
  const inputs = [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4] }];
  const config = configSchema.parse({
    architecture: 'amd64',
    os: 'linux',
    config: {
      Labels: {
        'org.opencontainers.image.title': `model-${i}`,
        'org.opencontainers.image.version': '0.0.1',
        'org.opencontainers.image.authors': 'flowers-team',
        'inlay.version': '0.1.0',
        'inlay.task': 'classification',
        'inlay.model.digest': sha(`model ${i}`),
        'inlay.inputs': JSON.stringify(inputs),
        'inlay.outputs': JSON.stringify([{ name: 'output_probability', datatype: 'FP32', shape: [-1, 3] }]),
        'inlay.os': 'debian 12',
        'inlay.libraries': JSON.stringify(libraries),
      },
    },
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const layers = ['base', 'runtime', 'server', 'model'].map((kind) => ({
    mediaType: LAYER,
    digest: sha(kind === 'model' ? `${kind} ${i}` : kind),
    size: 1_000_000,
    annotations: { 'inlay.layer': kind },
  }));
  const manifest = put(
    {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: put(config, 'application/vnd.oci.image.config.v1+json'),
      layers,
    },
    'application/vnd.oci.image.manifest.v1+json',
  );
  return put(
    {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ ...manifest, platform: { architecture: 'amd64', os: 'linux' } }],
    },
    'application/vnd.oci.image.index.v1+json',
  ).digest;
});
const registry = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const [, , , kind = '', name = ''] =
      /^\/v2\/(.+)\/(\w+)\/([^/]+)$/
        .exec(new URL(request.url).pathname)
        ?.flatMap((part, i) => (i === 2 ? ['', part] : [part])) ?? [];
    requests[kind] = (requests[kind] ?? 0) + 1;
    if (kind === 'referrers')
      return Response.json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] });
    const digest = name.startsWith('sha256:') ? name : indexes[Number(/^v(\d+)$/.exec(name)?.[1] ?? Number.NaN)];
    const text = digest === undefined ? undefined : blobs.get(digest);
    if (text === undefined || digest === undefined) return new Response('{}', { status: 404 });
    const type =
      kind === 'blobs' ? 'application/octet-stream' : ((JSON.parse(text) as { mediaType: string }).mediaType ?? '');
    return new Response(request.method === 'HEAD' ? null : text, {
      headers: { 'content-type': type, 'docker-content-digest': digest, 'content-length': String(text.length) },
    });
  },
});
const host = `127.0.0.1:${registry.port}`;

// Kubernetes
const moved = new Map<number, number>();
const imageOf = (i: number) => moved.get(i) ?? i % images;
const replaced = (text: string, i: number, more: Record<string, string>) => {
  const image = imageOf(i);
  const reference = `${host}/ml/model-${image}:v${image}@${indexes[image]}`;
  let out = text
    .replaceAll(/10\.244\.0\.1:5000\/ml\/iris:[\w.]+@sha256:[0-9a-f]{64}/g, reference)
    .replaceAll(/10\.244\.0\.1:5000\/ml\/iris@sha256:[0-9a-f]{64}/g, `${host}/ml/model-${image}@${indexes[image]}`);
  for (const [from, to] of Object.entries(more)) out = out.replaceAll(from, to);
  return out;
};
const podJson = JSON.stringify(podText);
const deploymentJson = JSON.stringify(deploymentText);
const hash = podText.metadata.labels['pod-template-hash'];
let version = 100_000;
const place = (i: number) => ({
  '"namespace":"iris"': `"namespace":"ns-${i % 50}"`,
  '"name":"iris"': `"name":"svc-${i}"`,
  '"app.kubernetes.io/name":"iris"': `"app.kubernetes.io/name":"svc-${i}"`,
});
const deployment = (i: number) =>
  replaced(deploymentJson, i, {
    ...place(i),
    [`"resourceVersion":"${deploymentText.metadata.resourceVersion}"`]: `"resourceVersion":"${version}"`,
  });
const pod = (n: number) => {
  const i = Math.floor(n / PODS);
  return replaced(podJson, i, {
    [podText.metadata.name]: `svc-${i}-${hash}-${n % PODS}`,
    [`"name":"iris-${hash}"`]: `"name":"svc-${i}-${hash}"`,
    ...place(i),
    [`"resourceVersion":"${podText.metadata.resourceVersion}"`]: `"resourceVersion":"${version}"`,
  });
};
const lists: Record<string, { count: number; item: (n: number) => string }> = {
  deployments: { count: deployments, item: deployment },
  pods: { count: deployments * PODS, item: pod },
};
const watchers = new Map<string, Set<ReadableStreamDefaultController<Uint8Array>>>();
const encoder = new TextEncoder();
const api = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 255,
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === '/counts') return Response.json(requests);
    if (url.pathname.startsWith('/move/')) {
      const i = Number(url.pathname.slice(6));
      moved.set(i, images);
      version++;
      const tell = (kind: string, text: string) => {
        for (const watcher of watchers.get(kind) ?? [])
          watcher.enqueue(encoder.encode(`{"type":"MODIFIED","object":${text}}\n`));
      };
      tell('deployments', deployment(i));
      for (let n = 0; n < PODS; n++) tell('pods', pod(i * PODS + n));
      return new Response('ok');
    }
    const kind = url.pathname.split('/').at(-1) ?? '';
    if (url.pathname.endsWith('/namespaces/kube-system')) return Response.json({ metadata: { uid: 'bench' } });
    const list = lists[kind] ?? { count: 0, item: () => '' };
    if (url.searchParams.has('watch')) {
      requests[`watch ${kind}`] = (requests[`watch ${kind}`] ?? 0) + 1;
      return new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            watchers.set(kind, (watchers.get(kind) ?? new Set()).add(controller));
            controller.enqueue(
              encoder.encode(`{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"${version}"}}}\n`),
            );
          },
        }),
      );
    }
    const limit = Number(url.searchParams.get('limit') ?? 500);
    const from = Number(url.searchParams.get('continue') ?? 0);
    if (from === 0) requests[`list ${kind}`] = (requests[`list ${kind}`] ?? 0) + 1;
    const items: string[] = [];
    for (let n = from; n < Math.min(from + limit, list.count); n++) items.push(list.item(n));
    const next = from + limit < list.count ? String(from + limit) : '';
    return new Response(
      `{"kind":"List","metadata":{"resourceVersion":"${version}","continue":"${next}"},"items":[${items.join(',')}]}`,
    );
  },
});
console.log(JSON.stringify({ api: api.url.href, registry: host }));
