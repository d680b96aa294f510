// Real registries as children of a test: Debian's docker-registry, and go-containerregistry's, built from a pinned go.mod.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crane } from './go-programs.ts';

export interface RunningRegistry {
  readonly host: string;
  stop(): Promise<void>;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** distribution 2.8 as Debian has it: uploads in chunks and whole, mounts, deletes, no referrers API. */
export async function startDockerRegistry(login?: Login): Promise<RunningRegistry> {
  const dir = mkdtempSync(join(tmpdir(), 'inlay-docker-registry-'));
  const port = await freePort();
  const htpasswd = join(dir, 'htpasswd');
  if (login)
    writeFileSync(
      htpasswd,
      `${login.username}:${await Bun.password.hash(login.password, { algorithm: 'bcrypt', cost: 4 })}\n`,
    );
  writeFileSync(
    join(dir, 'config.yml'),
    [
      'version: 0.1',
      'log: {level: error, accesslog: {disabled: true}}',
      `storage: {filesystem: {rootdirectory: ${join(dir, 'data')}}, delete: {enabled: true}}`,
      `http: {addr: "127.0.0.1:${port}"}`,
      ...(login ? [`auth: {htpasswd: {realm: test, path: ${htpasswd}}}`] : []),
      '',
    ].join('\n'),
  );
  return start(['docker-registry', 'serve', join(dir, 'config.yml')], port, dir);
}

/** go-containerregistry's own: in memory, with the referrers API. */
export async function startCraneRegistry(): Promise<RunningRegistry> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'inlay-crane-registry-'));
  return start([await crane(), 'registry', 'serve', '--address', `127.0.0.1:${port}`, '--disk', dir], port, dir);
}

export interface Counted {
  readonly method: string;
  readonly path: string;
  bodyBytes: number;
}

/**
 * A registry seen through a counter: every request, and the bytes of its body.
 * @param before is waited for before a request goes on
 */
export async function countRequests(
  registry: RunningRegistry,
  before: (counted: Counted) => Promise<void> = async () => {},
): Promise<RunningRegistry & { readonly seen: Counted[] }> {
  const seen: Counted[] = [];
  const [hostname, port] = registry.host.split(':');
  const server = createServer(async (request, response) => {
    const counted: Counted = { method: request.method ?? '', path: request.url ?? '', bodyBytes: 0 };
    seen.push(counted);
    await before(counted);
    const onward = httpRequest(
      { hostname, port, method: request.method, path: request.url, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => {
      counted.bodyBytes += chunk.length;
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function start(command: readonly string[], port: number, dir: string): Promise<RunningRegistry> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  const host = `127.0.0.1:${port}`;
  const stop = async () => {
    child.kill();
    await child.exited;
    rmSync(dir, { recursive: true, force: true });
  };
  for (let i = 0; i < 100; i++) {
    if (await fetch(`http://${host}/v2/`).catch(() => undefined)) return { host, stop };
    if (child.exitCode !== null) break;
    await Bun.sleep(50);
  }
  await stop();
  throw new Error(`${command.join(' ')} did not come up`);
}

async function freePort(): Promise<number> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
