import { join } from 'node:path';
import { bodyFile } from './body-file.ts';
import { onCore } from './cores.ts';
import type { BenchModel } from './models/model-dir.ts';
import { BENCH, BUN } from './root.ts';
import { lastLineOf } from './run-tool.ts';

export interface BareRun {
  readonly rows: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** A loop of session runs on the server's core, one thread: what serving is compared with. */
export async function bareRun(
  model: BenchModel,
  options: {
    readonly shape: readonly number[];
    /** Of that shape, row-major; the model's sample again and again where left out. */
    readonly values?: Float32Array;
    readonly seconds: number;
    readonly warmupSeconds: number;
  },
): Promise<BareRun> {
  const child = Bun.spawn(onCore('server', [BUN, '--no-env-file', join(BENCH, 'peers', 'bare-run.ts')]), {
    env: {
      PATH: process.env.PATH,
      ORT_DISABLE_TELEMETRY: '1',
      MODEL_FILEPATH: model.cutPath,
      OUTPUT: model.output,
      SAMPLE: JSON.stringify(model.sample),
      SHAPE: options.shape.join(','),
      ...(options.values ? { VALUES: await bodyFile(new Uint8Array(options.values.buffer)) } : {}),
      SECONDS: String(options.seconds),
      WARM_UP_SECONDS: String(options.warmupSeconds),
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`the bare run failed: ${stderr.trim().slice(-300)}`);
  return lastLineOf<BareRun>(stdout);
}
