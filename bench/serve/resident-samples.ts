import { median } from './median.ts';
import type { ServerProcess } from './server-process.ts';
import { loadWithWrk } from './wrk.ts';

/** Resident memory at a moment of a long load. */
export interface ResidentSample {
  readonly requests: number;
  readonly seconds: number;
  readonly residentMb: number;
}

export interface LongLoad {
  readonly samples: readonly ResidentSample[];
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
}

/**
 * Loads a server in slices until `done` says so, sampling its resident memory several times a slice: a collector lets
 * it swing, so single values tell little. The number of requests is known at the end of each slice and taken as even in it.
 */
export async function loadAndSample(
  server: ServerProcess,
  options: {
    readonly connections: number;
    readonly sliceSeconds: number;
    readonly done: (requests: number, seconds: number) => boolean;
    readonly onSlice?: (sample: ResidentSample, requestsPerSecond: number) => void;
  },
): Promise<LongLoad> {
  const samples: ResidentSample[] = [];
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let requests = 0;
  let failed = 0;
  while (!options.done(requests, elapsed())) {
    const slice: { readonly at: number; readonly residentMb: number }[] = [];
    const sampling = setInterval(() => slice.push({ at: elapsed(), residentMb: server.residentMb().now }), 200);
    const before = elapsed();
    const load = await loadWithWrk(server, { connections: options.connections, seconds: options.sliceSeconds });
    clearInterval(sampling);
    const took = elapsed() - before;
    for (const { at, residentMb } of slice)
      samples.push({
        requests: requests + Math.round((load.requests * (at - before)) / took),
        seconds: at,
        residentMb,
      });
    requests += load.requests;
    failed += load.failed;
    const residentMb = median(slice.map((sample) => sample.residentMb));
    options.onSlice?.({ requests, seconds: elapsed(), residentMb }, load.requests / load.seconds);
  }
  return { samples, requests, failed, seconds: elapsed() };
}
