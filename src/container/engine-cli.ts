import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pack } from 'tar-stream';
import { InlayError } from '../error/index.ts';
import { MEDIA_TYPE } from '../image/index.ts';
import type { EngineName, Env, Start, Started } from './running.ts';

/** Starts an image with docker, podman or nerdctl, which share a command line. */
export async function startWithEngine(engine: EngineName, start: Start): Promise<Started> {
  const env = { ...start.processEnv };
  const name = `inlay-${randomUUID().slice(0, 8)}`;
  const tag = `inlay.local/${start.image.manifestDigest.slice(7, 19)}:run`;
  await load(engine, start, tag, env);
  const { cpus, memoryBytes } = start.limits;
  const quietly = async (...args: string[]) =>
    void (await Bun.spawn([engine, ...args], { env, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }).exited);
  const child = Bun.spawn(
    [
      ...[engine, 'run', '--rm', '--name', name, '--publish', `127.0.0.1:${start.port}:${start.containerPort}`],
      ...(start.foreign ? [] : ['--read-only', '--tmpfs', '/tmp:size=64m,mode=1777', '--cap-drop', 'ALL']),
      ...['--security-opt', 'no-new-privileges'],
      ...(cpus === undefined ? [] : ['--cpus', String(cpus)]),
      ...(memoryBytes === undefined ? [] : ['--memory', String(memoryBytes)]),
      ...Object.entries(start.env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      tag,
    ],
    { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  );
  return {
    child,
    notes: [],
    terminate: () => quietly('kill', '--signal', 'TERM', name),
    kill: () => quietly('kill', name),
    clean: () => {},
  };
}

/** Hands the image over as an OCI layout in a tar, which all three engines load. */
async function load(engine: EngineName, start: Start, tag: string, env: Env): Promise<void> {
  const child = Bun.spawn([engine, 'load'], { env: { ...env }, stdin: 'pipe', stdout: 'ignore', stderr: 'pipe' });
  const stderr = new Response(child.stderr).text();
  for await (const chunk of archive(start, tag)) {
    child.stdin.write(chunk);
    await child.stdin.flush();
  }
  await child.stdin.end();
  if ((await child.exited) !== 0) {
    throw new InlayError(
      'CONTAINER_FAILED',
      `${engine} cannot load the image: ${(await stderr).trim().split('\n').at(-1) ?? ''}`,
      { hint: 'Old engines take no zstd layers: build with --compression gzip.' },
    );
  }
}

async function* archive({ layout, image }: Start, tag: string): AsyncGenerator<Uint8Array> {
  const tar = pack();
  const manifest = await layout.readBytes(image.manifestDigest);
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.index,
    manifests: [
      {
        mediaType: MEDIA_TYPE.manifest,
        digest: image.manifestDigest,
        size: manifest.length,
        annotations: { 'io.containerd.image.name': tag, 'org.opencontainers.image.ref.name': tag },
      },
    ],
  };
  const feeding = (async () => {
    tar.entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}');
    tar.entry({ name: 'index.json' }, JSON.stringify(index));
    tar.entry({ name: blobName(image.manifestDigest) }, Buffer.from(manifest));
    for (const blob of [image.manifest.config, ...image.manifest.layers]) {
      const sink = tar.entry({ name: blobName(blob.digest), size: blob.size });
      for await (const chunk of createReadStream(layout.blobPath(blob.digest)))
        if (!sink.write(chunk)) await new Promise<void>((resolve) => sink.once('drain', () => resolve()));
      sink.end(undefined);
    }
    tar.finalize();
  })();
  feeding.catch((error) => tar.destroy(error));
  for await (const chunk of tar) yield chunk as Uint8Array;
  await feeding;
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
