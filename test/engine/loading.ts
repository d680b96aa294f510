import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contract, contractOfModel } from '../../src/contract/index.ts';
import { Engine } from '../../src/engine/index.ts';
import { isInlayError } from '../../src/error/index.ts';
import { FLOAT, model, node, value } from '../onnx-builder.ts';

export interface OnDisk {
  readonly contract: Contract;
  readonly bytes: Uint8Array;
}

/** A model that hands its input on, of the given versions. */
export async function contractOf(options: { opset?: number; ir?: number }, bytes?: Uint8Array): Promise<OnDisk> {
  const made =
    bytes ??
    model([value(11, 'x', FLOAT, [-1, 2]), value(12, 'y', FLOAT, [-1, 2]), node('Neg', ['x'], ['y'])], options);
  return withFile(made, async (path) => ({ contract: await contractOfModel(path, undefined), bytes: made }));
}

export function withFile<T>(bytes: Uint8Array, work: (path: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'inlay-engine-'));
  const path = join(dir, 'm.onnx');
  writeFileSync(path, bytes);
  return work(path).finally(() => rmSync(dir, { recursive: true }));
}

/** An engine for the time of `work`. */
export function withEngine<T>({ contract, bytes }: OnDisk, work: (engine: Engine) => Promise<T>): Promise<T> {
  return withFile(bytes, async (modelPath) => {
    const engine = await Engine.load({ contract, modelPath, threads: 1 });
    return work(engine).finally(() => engine.close());
  });
}

/** The code that loading ends with, or undefined when it loads. */
export function engineError(made: OnDisk): Promise<string | undefined> {
  return withEngine(made, async () => undefined).catch((error) => (isInlayError(error) ? error.code : String(error)));
}
