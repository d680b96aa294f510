import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const COOKIE = 'inlay_hub';
const SESSIONS = 1000;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/;

/** Who may read: with a token whoever knows it; without one whoever is on this machine. */
export class Access {
  readonly #token: string | undefined;
  readonly #sessions = new Set<string>();

  constructor(token: string | undefined) {
    this.#token = token;
  }

  allows(request: Request): boolean {
    // A page of somewhere else, whose name now leads to this machine, is not on this machine.
    if (this.#token === undefined) return LOOPBACK.test(request.headers.get('host') ?? '');
    const [, bearer] = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    if (bearer !== undefined && this.isToken(bearer)) return true;
    const [, session] = new RegExp(`(?:^|; )${COOKIE}=([0-9a-f]+)`).exec(request.headers.get('cookie') ?? '') ?? [];
    return session !== undefined && this.#sessions.has(session);
  }

  isToken(text: string): boolean {
    return this.#token !== undefined && timingSafeEqual(digest(text), digest(this.#token));
  }

  /** The cookie of a browser that has shown the token. */
  login(secure: boolean): string {
    if (this.#sessions.size >= SESSIONS) this.#sessions.delete([...this.#sessions][0] as string);
    const session = randomBytes(32).toString('hex');
    this.#sessions.add(session);
    return `${COOKIE}=${session}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000${secure ? '; Secure' : ''}`;
  }
}

/** Of one length, so that comparing takes one time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host) || host === '::1';
}
