// Real registries as children of a test: Debian's docker-registry, and go-containerregistry's, built from a pinned go.mod.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

/** Docker's registry with what its owner does beside it. */
export interface DockerRegistry extends RunningRegistry {
  /** Its own collection of what no manifest names. */
  collect(): Promise<void>;
  /** What its blobs take on the disk, bytes. */
  storedBytes(): number;
}

export interface DockerRegistryOptions {
  readonly login?: Login | undefined;
  /** False as it is where nobody changed it. */
  readonly deletes?: boolean;
  /** Where it listens, where that is not loopback. */
  readonly address?: string;
  /** How a program is started there. */
  readonly command?: (words: readonly string[]) => readonly string[];
}

/** distribution 2.8 as Debian has it: uploads in chunks and whole, mounts, deletes, no referrers API. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const { login, deletes = true, address = '127.0.0.1', command = (words) => words } = options;
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
      `storage: {filesystem: {rootdirectory: ${join(dir, 'data')}}, delete: {enabled: ${deletes}}}`,
      `http: {addr: "${address}:${port}"}`,
      ...(login ? [`auth: {htpasswd: {realm: test, path: ${htpasswd}}}`] : []),
      '',
    ].join('\n'),
  );
  const config = join(dir, 'config.yml');
  const isUp = command(['bash', '-c', `</dev/tcp/${address}/${port}`]);
  const running = await start(command(['docker-registry', 'serve', config]), `${address}:${port}`, dir, isUp);
  return {
    ...running,
    collect: async () => {
      const { exitCode, stderr } = Bun.spawnSync(['docker-registry', 'garbage-collect', config]);
      if (exitCode !== 0) throw new Error(`garbage-collect: ${stderr.toString()}`);
    },
    storedBytes: () =>
      [...new Bun.Glob('data/docker/registry/v2/blobs/**/data').scanSync(dir)].reduce(
        (sum, path) => sum + statSync(join(dir, path)).size,
        0,
      ),
  };
}

/** go-containerregistry's own: in memory, with the referrers API. */
export async function startCraneRegistry(): Promise<RunningRegistry> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'inlay-crane-registry-'));
  const host = `127.0.0.1:${port}`;
  return start([await crane(), 'registry', 'serve', '--address', host, '--disk', dir], host, dir);
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

/** @param isUp succeeds once it listens, for one that this process cannot reach itself */
async function start(
  command: readonly string[],
  host: string,
  dir: string,
  isUp?: readonly string[],
): Promise<RunningRegistry> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  const stop = async () => {
    child.kill();
    await child.exited;
    rmSync(dir, { recursive: true, force: true });
  };
  for (let i = 0; i < 100; i++) {
    const up = isUp
      ? Bun.spawnSync([...isUp]).exitCode === 0
      : await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (up) return { host, stop };
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
