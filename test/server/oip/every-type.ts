import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractOfModel, DATATYPES, type Datatype } from '../../../src/contract/index.ts';
import { Engine } from '../../../src/engine/index.ts';
import { createLog, DEFAULT_SETTINGS, ModelServer, type Settings } from '../../../src/server/index.ts';
import { model, node, value } from '../../onnx-builder.ts';
import { serveEngine } from '../serving.ts';

/** Two values of each datatype, as JSON has them. */
export const VALUES: Readonly<Record<Datatype, readonly [unknown, unknown]>> = {
  BOOL: [true, false],
  UINT8: [0, 255],
  UINT16: [1, 65535],
  UINT32: [2, 4294967295],
  UINT64: [3, Number.MAX_SAFE_INTEGER],
  INT8: [-128, 127],
  INT16: [-32768, 32767],
  INT32: [-2147483648, 2147483647],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  FP16: [-0.5, 65504],
  FP32: [0.25, -1.5],
  FP64: [0.1, -1e300],
  BYTES: ['', 'Zürich 漢字'],
};
export const TYPES = Object.keys(VALUES) as Datatype[];

/** A model with an input of [rows, 2] for each datatype, each handed on to an output: in_FP32 to out_FP32. */
export function everyType(types: readonly Datatype[] = TYPES): Uint8Array {
  return model([
    ...types.map((type) => value(11, `in_${type}`, DATATYPES[type].onnx, [-1, 2])),
    ...types.map((type) => value(12, `out_${type}`, DATATYPES[type].onnx, [-1, 2])),
    ...types.map((type) => node('Identity', [`in_${type}`], [`out_${type}`])),
  ]);
}

/** A model behind a server on a free port, as `types`, version 0. */
export async function serveModel(
  bytes: Uint8Array,
  settings: Partial<Settings> = {},
): Promise<{ url: string; engine: Engine; server: ModelServer; close(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'inlay-oip-'));
  const modelPath = join(dir, 'types.onnx');
  writeFileSync(modelPath, bytes);
  const contract = await contractOfModel(modelPath, undefined);
  const server = new ModelServer({
    settings: { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0, ...settings },
    log: createLog('ERROR', 'TEXT', () => {}),
  });
  const engine = await Engine.load({ contract, modelPath, threads: 1 });
  await serveEngine(server, contract, engine);
  const close = async () => {
    await server.close();
    await engine.close();
    rmSync(dir, { recursive: true });
  };
  return { url: server.url, engine, server, close };
}

/** A request's inputs as JSON: `rows` times the values of each datatype. */
export function jsonInputs(types: readonly Datatype[] = TYPES, rows = 1) {
  return types.map((type) => ({
    name: `in_${type}`,
    datatype: type,
    shape: [rows, 2],
    data: Array.from({ length: rows }, () => VALUES[type]).flat(),
  }));
}
