// A bare loop of session runs on rows that are ready: what serving adds is compared with this. Prints what it did as JSON.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

const { MODEL_FILEPATH, OUTPUT, SHAPE, SAMPLE, VALUES, SECONDS, WARM_UP_SECONDS } = process.env as Record<
  string,
  string
>;
const shape = (SHAPE as string).split(',').map(Number);
const sample = JSON.parse(SAMPLE as string).flat(3) as number[];
const session = await ort.InferenceSession.create(MODEL_FILEPATH as string, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
const length = shape.reduce((product, size) => product * size, 1);
const values = VALUES
  ? new Float32Array(new Uint8Array(readFileSync(VALUES)).buffer)
  : Float32Array.from({ length }, (_, index) => sample[index % sample.length] as number);
const feeds = { [session.inputNames[0] as string]: new ort.Tensor('float32', values, shape) };
const outputs = [OUTPUT as string];

async function runFor(seconds: number): Promise<{ runs: number; seconds: number; cpuSeconds: number }> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  let runs = 0;
  while (performance.now() - started < seconds * 1000) {
    await session.run(feeds, outputs);
    runs++;
  }
  const used = process.cpuUsage(cpu);
  return { runs, seconds: (performance.now() - started) / 1000, cpuSeconds: (used.user + used.system) / 1e6 };
}

await runFor(Number(WARM_UP_SECONDS));
const { runs, seconds, cpuSeconds } = await runFor(Number(SECONDS));
console.log(JSON.stringify({ rows: runs * (shape[0] as number), seconds, cpuSeconds }));
