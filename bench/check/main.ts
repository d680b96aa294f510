// npm run bench:check: what `inlay check` costs: time on examples/iris, memory on a model of 1 GB with external data.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { externalInitializer, FLOAT, model, node, value } from '../../test/onnx-builder.ts';

const ROOT = join(import.meta.dir, '..', '..');
const ROUNDS = 7;
const SIDE = 16_384;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** Runs a program; its time in ms and its peak memory in bytes. */
async function measure(command: string[]): Promise<{ ms: number; peakBytes: number }> {
  const started = performance.now();
  const child = Bun.spawn(command, { cwd: ROOT, stdout: 'pipe', stderr: 'pipe' });
  const code = await child.exited;
  if (code !== 0)
    throw new Error(`${command.join(' ')} ended with ${code}: ${await new Response(child.stderr).text()}`);
  return { ms: performance.now() - started, peakBytes: child.resourceUsage()?.maxRSS ?? 0 };
}

/** One matrix of SIDE × SIDE floats, in a file of its own. */
async function makeBigProject(dir: string): Promise<void> {
  const bytes = SIDE * SIDE * 4;
  const weights = externalInitializer('w', [SIDE, SIDE], 'w.bin', bytes);
  const graph = [node('MatMul', ['x', 'w'], ['y']), weights];
  writeFileSync(
    join(dir, 'big.onnx'),
    model([...graph, value(11, 'x', FLOAT, [-1, SIDE]), value(12, 'y', FLOAT, [-1, SIDE])]),
  );
  const file = await open(join(dir, 'w.bin'), 'w');
  const row = Float32Array.from({ length: SIDE * 16 }, (_, i) => Math.sin(i) / SIDE);
  for (let at = 0; at < SIDE; at += 16) await file.write(new Uint8Array(row.buffer));
  await file.close();
  writeFileSync(join(dir, 'inlay.yaml'), 'name: big\nversion: "1"\nmodel: big.onnx\nserver: {memory: 3Gi}\n');
}

const dir = mkdtempSync(join(tmpdir(), 'inlay-bench-check-'));
try {
  const check = [process.execPath, 'src/cli/main.ts', 'check'];
  const iris: number[] = [];
  for (let round = 0; round < ROUNDS; round++) iris.push((await measure([...check, 'examples/iris'])).ms);
  await makeBigProject(dir);
  const bare = await measure([
    process.execPath,
    join(import.meta.dir, 'bare-session.ts'),
    join(dir, 'big.onnx'),
    String(SIDE),
  ]);
  const whole = await measure([...check, dir]);
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  const over = whole.peakBytes - bare.peakBytes;
  console.log(`check examples/iris, whole process      ${median(iris).toFixed(0)} ms      (to reach: 500 ms)`);
  console.log(
    `check of ${(statSync(join(dir, 'w.bin')).size / 1e9).toFixed(2)} GB of external data   ${mb(whole.peakBytes)} at its peak, ${(whole.ms / 1000).toFixed(1)} s`,
  );
  console.log(`  a bare session that runs it once      ${mb(bare.peakBytes)}, ${(bare.ms / 1000).toFixed(1)} s`);
  console.log(`  check needs beside it                 ${mb(over)}      (to reach: 100 MB)`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
