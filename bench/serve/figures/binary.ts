import { type BareRun, bareRun } from '../bare-run.ts';
import type { Figure } from '../figure.ts';
import { median, pairedRatio } from '../median.ts';
import { differentRows } from '../models/different-rows.ts';
import { requirePeer } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { interleave } from '../rounds.ts';
import { withServer } from '../with-server.ts';
import { loadWithWrk } from '../wrk.ts';

const ROWS = 10_000;
const LIMIT = 0.8;

/** Many rows in one binary tensor of the Open Inference Protocol: what HTTP costs beside the run itself. */
export const binary: Figure = {
  id: 'binary',
  title: `${ROWS.toLocaleString('en-US')} rows in one request, a binary tensor, one connection`,
  async run({ quick, rounds, iris, onProgress }): Promise<FigureResult> {
    const inlay = await requirePeer('inlay', iris);
    const [sample = []] = iris.sample as number[][];
    const values = Float32Array.from(differentRows(iris.sample as number[][], ROWS).flat());
    const json = Buffer.from(
      JSON.stringify({
        inputs: [
          {
            name: iris.input,
            datatype: 'FP32',
            shape: [ROWS, sample.length],
            parameters: { binary_data_size: values.byteLength },
          },
        ],
        outputs: [{ name: iris.output, parameters: { binary_data: true } }],
      }),
    );
    const body = Buffer.concat([json, new Uint8Array(values.buffer)]);
    const request = { path: '/v2/models/iris/infer', body, headerLength: json.length };
    const seconds = quick ? 2 : 6;
    const measured = await interleave<BareRun & { readonly failed?: number }>(
      rounds,
      {
        'bare run': () => bareRun(iris, { shape: [ROWS, sample.length], values, seconds, warmupSeconds: 1 }),
        inlay: () =>
          withServer(inlay, async (server) => {
            const response = await fetch(server.url + request.path, {
              method: 'POST',
              body,
              headers: { 'inference-header-content-length': String(json.length) },
            });
            const bytes = await response.bytes();
            const header = Number(response.headers.get('inference-header-content-length'));
            const answers = new Float32Array(bytes.slice(header).buffer);
            if (!response.ok || answers.length !== ROWS * iris.expected.length || !answers.every(Number.isFinite))
              throw new Error(`inlay answers ${response.status} and ${answers.length} numbers`);
            if (!iris.expected.every((value, column) => Math.abs(value - (answers[column] as number)) < 1e-5))
              throw new Error('the first row has another answer than alone');
            await loadWithWrk(server, { connections: 1, seconds: 1, binary: request });
            const load = await loadWithWrk(server, { connections: 1, seconds, binary: request });
            return {
              rows: load.requests * ROWS,
              seconds: load.seconds,
              cpuSeconds: load.serverCpuSeconds,
              failed: load.failed,
            };
          }),
      },
      onProgress,
    );
    const of = (name: string, value: (run: BareRun & { readonly failed?: number }) => number) =>
      (measured.values.get(name) ?? []).map(value);
    const perSecond = (run: BareRun) => run.rows / run.seconds;
    const perCpuSecond = (run: BareRun) => run.rows / run.cpuSeconds;
    const target = {
      what: 'rows per CPU second against the bare run',
      sense: 'at least',
      limit: LIMIT,
      unit: 'x',
    } as const;
    return {
      table: {
        columns: [
          { name: 'rows/s', decimals: 0 },
          { name: 'rows/CPU s', decimals: 0 },
          { name: 'ms a request', decimals: 2 },
          { name: 'failed', decimals: 0 },
        ],
        rows: [...measured.values.keys()].map((name) => ({
          name,
          values: {
            'rows/s': median(of(name, perSecond)),
            'rows/CPU s': median(of(name, perCpuSecond)),
            'ms a request': median(of(name, (run) => (run.seconds * 1000 * ROWS) / run.rows)),
            failed: of(name, ({ failed = 0 }) => failed).reduce((a, b) => a + b, 0),
          },
        })),
      },
      targets: [judge(target, pairedRatio(of('inlay', perCpuSecond), of('bare run', perCpuSecond)))],
      notes: [
        `by the clock: ${pairedRatio(of('inlay', perSecond), of('bare run', perSecond)).toFixed(3)} x the bare run`,
        ...measured.failures.map(({ name, reason }) => `${name} failed: ${reason}`),
      ],
    };
  },
};
