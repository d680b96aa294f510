import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CONNECT_TIMEOUT_MS = 30_000;

/** A way through a proxy to one host: a socket on this machine whose every connection is led there. */
interface Tunnel {
  readonly path: string;
  readonly server: Server;
  /** Why the last connection could not be led through. */
  problem: string | undefined;
}

/**
 * Leads HTTPS through proxies. Bun's own CONNECT heeds no back-pressure in either direction: it held 1 GB of memory for
 * 600 MB over a slow line. So Bun speaks TLS, end to end, to a Unix socket of this process, and what comes out there is piped
 * to the proxy, no quicker than that takes it.
 */
export class Tunnels {
  readonly #tunnels = new Map<string, Promise<Tunnel>>();
  #dir: Promise<string> | undefined;

  /** The socket for a host behind a proxy. */
  async path(proxy: string, target: URL): Promise<string> {
    return (await this.#tunnel(proxy, target)).path;
  }

  /** Why the proxy led no connection through, if it did not; asked after a request has failed. */
  async problem(proxy: string, target: URL): Promise<string | undefined> {
    return (await this.#tunnel(proxy, target)).problem;
  }

  async close(): Promise<void> {
    for (const tunnel of this.#tunnels.values()) (await tunnel).server.close();
    this.#tunnels.clear();
    if (this.#dir) await rm(await this.#dir, { recursive: true, force: true });
    this.#dir = undefined;
  }

  #tunnel(proxy: string, target: URL): Promise<Tunnel> {
    const authority = `${target.hostname}:${target.port || '443'}`;
    const key = `${proxy} ${authority}`;
    let tunnel = this.#tunnels.get(key);
    if (!tunnel) {
      tunnel = this.#open(new URL(proxy), authority, this.#tunnels.size);
      this.#tunnels.set(key, tunnel);
    }
    return tunnel;
  }

  async #open(proxy: URL, authority: string, number: number): Promise<Tunnel> {
    // A folder that only this user may enter (mkdtemp: 0700), as who connects goes through with this user's proxy login.
    this.#dir ??= mkdtemp(join(tmpdir(), 'inlay-proxy-'));
    const path = join(await this.#dir, `${number}.sock`);
    const server = createServer({ pauseOnConnect: true }, (client) => {
      client.unref();
      connectThrough(proxy, authority).then(
        (onward) => {
          tunnel.problem = undefined;
          pipeBoth(client, onward);
        },
        (error: Error) => {
          tunnel.problem = error.message;
          client.destroy();
        },
      );
    });
    const tunnel: Tunnel = { path, server, problem: undefined };
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    return tunnel;
  }
}

/** A connection that the proxy has led to `authority` (RFC 9110, 9.3.6). Its error says what went wrong, without the login. */
function connectThrough(proxy: URL, authority: string): Promise<Socket> {
  const login =
    proxy.username === '' ? undefined : `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const secure = proxy.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)({
      host: proxy.hostname,
      port: proxy.port || (secure ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        ...(login === undefined ? {} : { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }),
      },
      timeout: CONNECT_TIMEOUT_MS,
    });
    request.once('connect', (response, socket) => {
      socket.setTimeout(0);
      if (response.statusCode === 200) return resolve(socket as Socket);
      socket.destroy();
      reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode}`));
    });
    request.once('response', (response) => {
      response.resume();
      reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode}`));
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', () => reject(new Error(`the proxy ${proxy.host} refuses the connection`)));
    request.end();
  });
}

function pipeBoth(one: Socket, other: Socket): void {
  other.unref();
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}
