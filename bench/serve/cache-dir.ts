import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where peers, tools and models of the benchmarks are kept between runs: ~/.cache/inlay-bench. */
export function cacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.INLAY_BENCH_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'inlay-bench');
}
