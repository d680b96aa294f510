import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './cache-dir.ts';
import { onCore } from './cores.ts';
import type { Peer } from './peer.ts';
import { cpuSecondsOf, rememberTree, residentMbOf } from './process-tree.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/** A server under test, alone on its core. */
export class ServerProcess {
  readonly peer: Peer;
  readonly port: number;
  readonly #child: Bun.Subprocess;

  private constructor(peer: Peer, port: number, child: Bun.Subprocess) {
    this.peer = peer;
    this.port = port;
    this.#child = child;
  }

  /** Starts a peer and waits until it answers its request with 200. @throws when it does not */
  static async start(peer: Peer): Promise<ServerProcess> {
    const port = freePort();
    const { env = {}, words = [] } = peer.listen(port);
    const logs = join(cacheDir(), 'logs');
    mkdirSync(logs, { recursive: true });
    const logPath = join(logs, `${peer.name.replaceAll(/[^\w.-]+/g, '-')}.log`);
    const log = openSync(logPath, 'w');
    const child = Bun.spawn(onCore('server', [...peer.command, ...words]), {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...peer.env, ...env },
      ...(peer.cwd === undefined ? {} : { cwd: peer.cwd }),
      stdin: 'ignore',
      stdout: log,
      stderr: log,
    });
    closeSync(log);
    const server = new ServerProcess(peer, port, child);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await server.#answers())) {
      if (child.exitCode !== null || performance.now() > deadline) {
        await server.stop();
        const tail = (await readFile(logPath, 'utf8')).trim().split('\n').slice(-3).join(' | ');
        throw new Error(`${peer.name} does not answer: ${tail}`);
      }
      await Bun.sleep(50);
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid);
  }

  residentMb(): { readonly now: number; readonly highest: number } {
    return residentMbOf(this.#child.pid);
  }

  /** Asks once. @throws when the status is not 200 */
  async ask(): Promise<unknown> {
    const response = await fetch(this.url + this.peer.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: this.peer.body,
    });
    if (response.status !== 200)
      throw new Error(`${this.peer.name} answers ${response.status}: ${(await response.text()).slice(0, 200)}`);
    return response.json();
  }

  /** Ends the process and what it started, each by its pid. */
  async stop(): Promise<void> {
    const killRest = rememberTree(this.#child.pid);
    this.#child.kill('SIGTERM');
    await Promise.race([this.#child.exited, Bun.sleep(STOP_TIMEOUT_MS)]);
    killRest();
    await this.#child.exited;
  }

  async #answers(): Promise<boolean> {
    try {
      await this.ask();
      return true;
    } catch {
      return false;
    }
  }
}

/** A port that nothing listens on at this moment. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
