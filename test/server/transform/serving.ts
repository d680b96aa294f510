import { join } from 'node:path';
import { readProject } from '../../../src/contract/index.ts';
import { Engine, type Lane, openLanes, proveBatch } from '../../../src/engine/index.ts';
import { createLog, DEFAULT_SETTINGS, ModelServer, openTransformer, type Settings } from '../../../src/server/index.ts';
import { FLOAT, initializer, model, node, STRING, value } from '../../onnx-builder.ts';
import { write } from '../../transform/writing.ts';

/** p = x · [[1, 0], [0, 1]], of two labels, and how long each of some texts is not used for. */
const PAIR = model([
  value(11, 'x', FLOAT, [-1, 2]),
  value(12, 'p', FLOAT, [-1, 2]),
  value(12, 'sum', FLOAT, [-1, 1]),
  initializer('w', [2, 2], [1, 0, 0, 1]),
  initializer('one', [2, 1], [1, 1]),
  node('MatMul', ['x', 'w'], ['p']),
  node('MatMul', ['x', 'one'], ['sum']),
]);

/** Text goes through as it is, beside a number. */
export const TEXT = model([
  value(11, 'text', STRING, [-1]),
  value(11, 'n', 7, [-1]),
  value(12, 'out', STRING, [-1]),
  value(12, 'm', 7, [-1]),
  node('Identity', ['text'], ['out']),
  node('Identity', ['n'], ['m']),
]);

export interface Running {
  readonly url: string;
  readonly log: string[];
  /** Of the prediction log. */
  readonly logged: () => Promise<readonly string[]>;
  /** Rows of each run. */
  readonly runs: number[];
  readonly close: () => Promise<void>;
  readonly post: (
    body: BodyInit,
    type?: string,
    path?: string,
  ) => Promise<{ status: number; body: unknown; code: string | undefined; headers: Headers }>;
}

/** A project around a transform behind a server on a free port of 127.0.0.1. */
export async function serveTransform(
  dir: string,
  transform: string,
  more: { settings?: Partial<Settings>; onnx?: Uint8Array; config?: string; files?: Record<string, string> } = {},
): Promise<Running> {
  write(dir, {
    'transform.ts': transform,
    'm.onnx': more.onnx ?? PAIR,
    'inlay.yaml': `name: pair\nversion: "1"\nmodel: m.onnx\ntransform: transform.ts\n${more.config ?? 'labels: labels.json\ntask: classification\n'}`,
    'labels.json': '["a", "b"]',
    ...more.files,
  });
  const { contract, modelPath, transform: prepared } = await readProject(dir);
  const log: string[] = [];
  const lines: string[] = [];
  const runs: number[] = [];
  const settings = { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0, ...more.settings };
  const server = new ModelServer({
    settings,
    log: createLog('INFO', 'TEXT', (line) => void log.push(line)),
    predictionSink: {
      write: async (written) => {
        lines.push(...written.trim().split('\n'));
        return true;
      },
      close: async () => {},
    },
  });
  const engine = await Engine.load({ contract, modelPath, threads: 1 });
  const batch = await proveBatch(engine, contract, [engine.sample()]);
  const lanes = await openLanes(engine);
  const counted = (lane: Lane): Lane => ({
    run: (feeds, names) => {
      runs.push(Object.values(feeds)[0]?.shape[0] ?? 1);
      return lane.run(feeds, names);
    },
  });
  const transformer = await openTransformer(prepared?.dir ?? join(dir, 'none'), engine, settings);
  await server.serve({ contract, engine, batch, lanes: { ...lanes, lanes: lanes.lanes.map(counted) }, transformer });
  runs.length = 0;
  return {
    url: server.url,
    log,
    logged: async () => {
      await server.flushed();
      return lines;
    },
    runs,
    close: () => server.close(),
    post: async (body, type, path = '/predict') => {
      const response = await fetch(server.url + path, {
        method: 'POST',
        body,
        ...(type === undefined ? {} : { headers: { 'content-type': type } }),
      });
      const answer: unknown = await response.json();
      const { error } = (answer ?? {}) as { error?: { code: string } };
      return { status: response.status, body: answer, code: error?.code, headers: response.headers };
    },
  };
}
