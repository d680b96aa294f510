import { dlopen, ptr } from 'bun:ffi';
import { closeSync, openSync } from 'node:fs';
import { Front } from './front/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface ConnectionRoomOptions {
  readonly maxConnections: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Files that are open beside connections: libraries, pipes, epoll, the model while it is read. */
const OTHER_FILES = 128;
/** How often it is looked: seldom below half of the room, since each look wakes an idle server. */
const SELDOM_MS = 500;
const OFTEN_MS = 50;
/** Not before the server is ready: what it does first should not wait for this. */
const FIRST_MS = 1_000;
/** So large a part of the room is kept free, and so much is made when that is used. */
const KEEP_FREE = 1 / 16;
const MAKE_FREE = 1 / 8;
const COMPLAIN_MS = 10_000;

// Linux's numbers: resource.h, tcp.h, socket.h.
const RLIMIT_NOFILE = 7;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const SHUT_RDWR = 2;
/** struct tcp_info: the state in the first byte, milliseconds since data came in the twelfth of the 32-bit words behind the first eight bytes. */
const TCP_INFO_BYTES = 104;
const ESTABLISHED = 1;
const LAST_DATA_RECEIVED = 8 + 11 * 4;
/** struct sockaddr_in: family, port, and the address from the fifth byte on. */
const SOCKADDR_BYTES = 16;
const AF_INET = 2;

/** Undefined where there is no /dev, as in a bare chroot: the room is then not watched. */
function openNothing(): number | undefined {
  try {
    return openSync('/dev/null', 'r');
  } catch {
    return undefined;
  }
}

type Libc = ReturnType<typeof openLibc>;

/**
 * Keeps room for new connections. A process that may open no further file cannot accept; Bun then asks again and again,
 * a whole CPU long, and clients wait. So those connections that have been silent for the longest are closed before it comes
 * to that, as they would be later anyway. Nothing is counted while there is room: the lowest free descriptor tells.
 */
export class ConnectionRoom {
  readonly #options: ConnectionRoomOptions;
  #libc: Libc | undefined;
  /** A descriptor of our own, to be duplicated; it is had before others take all there are. */
  readonly #own: number | undefined;
  #timer: ReturnType<typeof setTimeout>;
  /** How many files may be open. */
  #limit = Number.POSITIVE_INFINITY;
  #complained = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectionRoomOptions) {
    this.#options = options;
    this.#own = process.platform === 'linux' ? openNothing() : undefined;
    this.#timer = setTimeout(() => this.#start(), FIRST_MS);
    this.#timer.unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    if (this.#own !== undefined) closeSync(this.#own);
    this.#libc?.close();
    this.#libc = undefined;
  }

  #start(): void {
    if (this.#own === undefined) return;
    const { maxConnections, log } = this.#options;
    this.#libc = openLibc();
    const { getrlimit, setrlimit } = this.#libc.symbols;
    const limits = new BigUint64Array(2);
    if (getrlimit(RLIMIT_NOFILE, ptr(limits)) !== 0) return;
    const wanted = maxConnections + OTHER_FILES;
    const hard = Number(limits[1]);
    this.#limit = Math.min(wanted, hard);
    limits[0] = BigInt(this.#limit);
    if (setrlimit(RLIMIT_NOFILE, ptr(limits)) !== 0) return;
    if (hard < wanted)
      log.info('fewer connections than MAX_CONNECTIONS: the process may not open more files', { files: hard });
    this.#look();
  }

  #look(): void {
    const { dup, close } = (this.#libc as Libc).symbols;
    const free = dup(this.#own as number);
    if (free >= 0) close(free);
    // Every descriptor below the lowest free one is in use.
    const used = free < 0 ? this.#limit : free;
    if (used > this.#limit * (1 - KEEP_FREE)) this.#makeRoom();
    this.#timer = setTimeout(() => this.#look(), used > this.#limit / 2 ? OFTEN_MS : SELDOM_MS);
    this.#timer.unref();
  }

  #makeRoom(): void {
    const { shutdown } = (this.#libc as Libc).symbols;
    const silent = this.#connections().sort((a, b) => b.silentMs - a.silentMs);
    const cut = silent.slice(0, Math.max(1, Math.floor(this.#limit * MAKE_FREE)));
    // The event loop finds them ended, as if their clients had gone.
    for (const { fd } of cut) shutdown(fd, SHUT_RDWR);
    this.#options.metrics.connectionsCut(cut.length);
    const now = performance.now();
    if (now - this.#complained < COMPLAIN_MS) return;
    this.#complained = now;
    this.#options.log.warning(
      'connections that were silent for the longest are closed: there is no room for new ones',
      {
        closed: cut.length,
        connections: silent.length,
      },
    );
  }

  /** Established TCP connections of clients, and for how long nothing came on each. */
  #connections(): { readonly fd: number; readonly silentMs: number }[] {
    const { getsockopt } = (this.#libc as Libc).symbols;
    const info = new DataView(new ArrayBuffer(TCP_INFO_BYTES));
    const size = new Uint32Array(1);
    const found: { fd: number; silentMs: number }[] = [];
    for (let fd = 3; fd < this.#limit; fd++) {
      size[0] = TCP_INFO_BYTES;
      if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, ptr(info), ptr(size)) !== 0) continue;
      if (info.getUint8(0) === ESTABLISHED && !this.#isInside(fd))
        found.push({ fd, silentMs: info.getUint32(LAST_DATA_RECEIVED, true) });
    }
    return found;
  }

  /** Whether it is one end of a connection between the front door and the server behind it. */
  #isInside(fd: number): boolean {
    const { getsockname, getpeername } = (this.#libc as Libc).symbols;
    const address = new Uint8Array(SOCKADDR_BYTES);
    const size = new Uint32Array(1);
    return [getsockname, getpeername].some((ask) => {
      size[0] = SOCKADDR_BYTES;
      if (ask(fd, ptr(address), ptr(size)) !== 0 || new Uint16Array(address.buffer)[0] !== AF_INET) return false;
      return address.subarray(4, 8).join('.') === Front.INNER_HOST;
    });
  }
}

function openLibc() {
  return dlopen('libc.so.6', {
    getrlimit: { args: ['i32', 'ptr'], returns: 'i32' },
    setrlimit: { args: ['i32', 'ptr'], returns: 'i32' },
    dup: { args: ['i32'], returns: 'i32' },
    close: { args: ['i32'], returns: 'i32' },
    shutdown: { args: ['i32', 'i32'], returns: 'i32' },
    getsockname: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
    getpeername: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
    getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
  });
}
