import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FLOAT, initializer, model, node, value } from '../../../test/onnx-builder.ts';
import { cacheDir } from '../cache-dir.ts';

/** Part of the folder's name: to be raised when the model changes. */
const FORMAT = 2;
const STEPS = 64;
const WIDTH = 2;
const HIDDEN = 512;
/** So many products that a row takes 10 to 20 ms on one thread of a server CPU of these years. */
const LAYERS = 100;

/**
 * A project with a stack of MatMul: x [rows, 64, 2] → 100 times [64, 512] · [512, 512] → y [rows, 64, 4]. Each row is 64
 * steps, so that a run is bound by arithmetic, as real heavy models are, not by reading weights; all layers share one
 * matrix, so that the file stays small.
 */
export async function heavyProject(): Promise<string> {
  const dir = join(cacheDir(), `heavy-${FORMAT}`);
  if (existsSync(join(dir, 'inlay.yaml'))) return dir;
  await mkdir(dir, { recursive: true });
  const random = randomNumbers();
  const matrix = (name: string, rows: number, columns: number) => {
    // Uniform with variance 1/rows: values neither grow nor vanish on their way through the stack.
    const scale = Math.sqrt(3 / rows);
    return initializer(
      name,
      [rows, columns],
      Array.from({ length: rows * columns }, () => (random() * 2 - 1) * scale),
    );
  };
  const layers = Array.from({ length: LAYERS }, (_, i) => node('MatMul', [`h${i}`, 'hidden'], [`h${i + 1}`]));
  await writeFile(
    join(dir, 'heavy.onnx'),
    model([
      value(11, 'x', FLOAT, [-1, STEPS, WIDTH]),
      value(12, 'y', FLOAT, [-1, STEPS, 4]),
      matrix('first', WIDTH, HIDDEN),
      matrix('hidden', HIDDEN, HIDDEN),
      matrix('last', HIDDEN, 4),
      node('MatMul', ['x', 'first'], ['h0']),
      ...layers,
      node('MatMul', [`h${LAYERS}`, 'last'], ['y']),
    ]),
  );
  const sample = [
    Array.from({ length: STEPS }, () => Array.from({ length: WIDTH }, () => Number(random().toFixed(3)))),
  ];
  await writeFile(
    join(dir, 'inlay.yaml'),
    `name: heavy\nversion: "1.0.0"\nmodel: heavy.onnx\ntask: other\nsample: ${JSON.stringify(sample)}\n`,
  );
  return dir;
}

/** The same numbers on every machine: a linear congruential generator (Numerical Recipes' constants), from 0 to 1. */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
