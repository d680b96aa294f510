import { join } from 'node:path';
import { type Contract, contractOfModel, deriveContract, readModelFacts } from '../../src/contract/index.ts';
import { type BatchProof, Engine, type Lane, openLanes, proveBatch } from '../../src/engine/index.ts';
import { createLog, DEFAULT_SETTINGS, ModelServer, openPredictionSink, type Settings } from '../../src/server/index.ts';

export const REFERENCE = join(import.meta.dir, '../data/reference');
export const SETOSA = [0.9709315896034241, 0.015583082102239132, 0.013485366478562355];
export const VIRGINICA = [0.3613327741622925, 0.2574760615825653, 0.3811912536621094];

/** The reference model behind a server on a free port of 127.0.0.1. @param around wraps what runs it */
export async function serveReference(
  settings: Partial<Settings> = {},
  around?: (lane: Lane) => Lane,
): Promise<{ server: ModelServer; engine: Engine; url: string; log: string[] }> {
  const log: string[] = [];
  const modelPath = join(REFERENCE, 'iris_svc.onnx');
  const bare = await contractOfModel(modelPath, join(REFERENCE, 'label.json'));
  const contract = deriveContract({
    name: 'iris',
    version: '0.0.1',
    facts: readModelFacts(new Uint8Array(await Bun.file(modelPath).arrayBuffer())),
    model: bare.model,
    labels: bare.labels,
    features: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'],
    sample: [[5.1, 3.5, 1.4, 0.2]],
  });
  const all = { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0, ...settings };
  const writer = createLog('INFO', 'TEXT', (line) => void log.push(line));
  const server = new ModelServer({
    settings: all,
    log: writer,
    predictionSink: openPredictionSink(all, 1, writer),
  });
  const engine = await Engine.load({ contract, modelPath, threads: 1 });
  await serveEngine(server, contract, engine, around);
  return { server, engine, url: server.url, log };
}

export async function serveEngine(
  server: ModelServer,
  contract: Contract,
  engine: Engine,
  around: (lane: Lane) => Lane = (lane) => lane,
): Promise<void> {
  const batch: BatchProof = await proveBatch(engine, contract, [engine.sample()]);
  const lanes = await openLanes(engine);
  await server.serve({ contract, engine, batch, lanes: { ...lanes, lanes: lanes.lanes.map(around) } });
}
