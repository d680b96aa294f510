import { createServer } from 'node:net';
import { InlayError } from '../error/index.ts';
import { describeImage } from '../image/index.ts';
import { chooseEngine } from './detect.ts';
import { startWithEngine } from './engine-cli.ts';
import { portOf } from './image-process.ts';
import { startProcess } from './plain-process.ts';
import { startRunc } from './runc.ts';
import type { RunningImage, RunOptions, Start } from './running.ts';

const KEPT_LINES = 20;
const DEFAULT_GRACE_MS = 30_000;

/**
 * Starts a built image on this machine.
 * @throws IMAGE_NOT_FOUND, IMAGE_INVALID, PLATFORM_UNSUPPORTED, ENGINE_UNAVAILABLE, PORT_IN_USE, STORE_BUSY, CONTAINER_FAILED
 */
export async function runImage(options: RunOptions): Promise<RunningImage> {
  const image = await options.layout.resolve(options.reference, options.platform);
  const engine = await chooseEngine(options.engine, options.processEnv, {
    platform: process.platform,
    uid: process.getuid?.(),
  });
  const port = await freePort(options.port);
  const foreign = describeImage(image.manifest, image.config).contract?.format === 'opaque';
  const start: Start = {
    image,
    layout: options.layout,
    port,
    containerPort: options.containerPort ?? (foreign ? portOf(image.config) : 8000),
    foreign,
    env: options.env ?? {},
    limits: options.limits ?? {},
    stateDir: options.stateDir,
    processEnv: options.processEnv,
  };
  const started = await (engine === 'runc'
    ? startRunc(start)
    : engine === 'process'
      ? startProcess(start)
      : startWithEngine(engine, start));
  const lines: string[] = [];
  const keep = (stream: 'stdout' | 'stderr') => (line: string) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    options.onOutput?.(line, stream);
  };
  const read = Promise.all([
    eachLine(started.child.stdout, keep('stdout')),
    eachLine(started.child.stderr, keep('stderr')),
  ]);
  const exited = started.child.exited.then(async (code) => {
    await read;
    await started.clean();
    return code;
  });
  return {
    engine,
    url: `http://127.0.0.1:${port}`,
    foreign,
    notes: started.notes,
    exited,
    lastLines: () => [...lines],
    stop: async ({ graceMs = DEFAULT_GRACE_MS } = {}) => {
      await started.terminate();
      const timer = setTimeout(() => void started.kill(), graceMs);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
  };
}

/** The port if it is free, or a free one for 0. @throws PORT_IN_USE */
async function freePort(port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', (cause) =>
    reject(
      new InlayError('PORT_IN_USE', `port ${port} is in use on 127.0.0.1`, {
        cause,
        hint: 'Choose another with --port, or 0 for a free one.',
      }),
    ),
  );
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
  });
  return promise;
}

async function eachLine(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) take(line);
  }
  if (rest !== '') take(rest);
}
