import { closeSync, fstatSync, openSync, renameSync, statSync, write } from 'node:fs';
import type { Log } from '../log.ts';
import type { LineSink } from './line-sink.ts';

// Not node:util's promisify: loading that is a fiftieth of a server's start.
function writeTo(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) =>
    write(fd, bytes, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    }),
  );
}

/** A pipe that is full is asked again after so long, ms. */
const FULL_MS = 20;
/** How often it is looked whether somebody moved the file away, ms. */
const LOOK_MS = 5_000;
/** A disk that is full is told of once in so long, ms. */
const COMPLAIN_MS = 60_000;

/**
 * Lines at the end of a file, or on a pipe. A file that would grow beyond its limit becomes FILE.1 in place of the one before;
 * one that was moved away, as logrotate does, is made anew.
 */
export class LineFile implements LineSink {
  /** Undefined for a descriptor that is not ours. */
  readonly #path: string | undefined;
  readonly #maxBytes: number;
  readonly #log: Log;
  #fd: number;
  #size: number;
  #inode: number;
  #lookAt = performance.now() + LOOK_MS;
  #complained = Number.NEGATIVE_INFINITY;

  private constructor(fd: number, path: string | undefined, maxBytes: number, log: Log) {
    this.#fd = fd;
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#log = log;
    const { size, ino } = path === undefined ? { size: 0, ino: 0 } : fstatSync(fd);
    this.#size = size;
    this.#inode = ino;
  }

  /** @param maxBytes 0: no limit @throws where the file cannot be opened */
  static open(path: string, maxBytes: number, log: Log): LineFile {
    return new LineFile(openSync(path, 'a', 0o640), path, maxBytes, log);
  }

  /** A descriptor that somebody else opened and closes. */
  static onDescriptor(fd: number, log: Log): LineFile {
    return new LineFile(fd, undefined, 0, log);
  }

  async write(lines: string): Promise<boolean> {
    try {
      let bytes: Uint8Array = Buffer.from(lines);
      this.#makeRoom(bytes.length);
      while (bytes.length > 0) bytes = bytes.subarray(await this.#some(bytes));
      return true;
    } catch (error) {
      const now = performance.now();
      if (now - this.#complained > COMPLAIN_MS) {
        this.#complained = now;
        this.#log.error(`the prediction log cannot be written, lines are lost: ${(error as Error).message}`);
      }
      return false;
    }
  }

  async close(): Promise<void> {
    if (this.#path !== undefined) closeSync(this.#fd);
  }

  /** Writes as much as there is room for. Resolves to how many bytes it was. */
  async #some(bytes: Uint8Array): Promise<number> {
    try {
      const count = await writeTo(this.#fd, bytes);
      this.#size += count;
      return count;
    } catch (error) {
      // A pipe that somebody made non-blocking, and whose reader is slow.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await Bun.sleep(FULL_MS);
      return 0;
    }
  }

  #makeRoom(more: number): void {
    if (this.#path === undefined) return;
    if (this.#maxBytes > 0 && this.#size > 0 && this.#size + more > this.#maxBytes) {
      renameSync(this.#path, `${this.#path}.1`);
      this.#reopen(this.#path);
    } else if (performance.now() > this.#lookAt) {
      this.#lookAt = performance.now() + LOOK_MS;
      const there = statSync(this.#path, { throwIfNoEntry: false });
      if (there?.ino !== this.#inode) this.#reopen(this.#path);
      // Cut by somebody else, as logrotate's copytruncate does.
      else this.#size = there.size;
    }
  }

  #reopen(path: string): void {
    const fd = openSync(path, 'a', 0o640);
    closeSync(this.#fd);
    this.#fd = fd;
    const { size, ino } = fstatSync(fd);
    this.#size = size;
    this.#inode = ino;
  }
}
