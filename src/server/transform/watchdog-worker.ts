// The program of a thread that ends the process when a serving thread stands still.
import { dlopen } from 'bun:ffi';
import { writeSync } from 'node:fs';

export interface WatchdogOrder {
  /** A number a thread, which changes while the thread lives, and is 0 where none serves. */
  readonly pulses: Int32Array;
  readonly afterMs: number;
}

declare const self: Worker;

const LOOK_MS = 500;

self.onmessage = ({ data: { pulses, afterMs } }: MessageEvent<WatchdogOrder>) => {
  const last = new Int32Array(pulses.length).fill(-1);
  const still = new Float64Array(pulses.length);
  // Looks are counted, not the clock: while the whole process is paused, nobody looks.
  setInterval(() => {
    for (let thread = 0; thread < pulses.length; thread++) {
      const now = Atomics.load(pulses, thread);
      still[thread] = now !== 0 && now === last[thread] ? (still[thread] as number) + LOOK_MS : 0;
      last[thread] = now;
      if ((still[thread] as number) > afterMs) end(afterMs);
    }
  }, LOOK_MS);
};

/** Ends all threads at once. As process 1 of a container it could not be killed from inside, and process.exit ends a worker only. */
function end(afterMs: number): void {
  writeSync(
    2,
    `error TRANSFORM_TIMEOUT: a serving thread stood still for ${afterMs / 1000} s: a transform does not return. The server ends\n`,
  );
  const libc = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6';
  dlopen(libc, { _exit: { args: ['i32'], returns: 'void' } }).symbols._exit(1);
}
