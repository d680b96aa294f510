// A project whose weights lie in files of their own, as exporters write models beyond 2 GB.
import { mkdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { externalInitializer, FLOAT, INT64, model, node, value } from './onnx-builder.ts';

const WIDTH = 16;

export interface WeightsProject {
  readonly name: string;
  readonly version?: string;
  readonly files: number;
  /** Of each file, bytes; whole MiB. */
  readonly fileBytes: number;
  readonly image?: string;
}

/** y = the sum of the row `i` of every weight file: [rows] → [rows, 16]. Every MiB of the files has other bytes. */
export async function writeWeightsProject(dir: string, options: WeightsProject): Promise<void> {
  const { files, fileBytes } = options;
  mkdirSync(dir, { recursive: true });
  const names = Array.from({ length: files }, (_, i) => `w${i}`);
  writeFileSync(
    join(dir, 'model.onnx'),
    model([
      value(11, 'i', INT64, [-1]),
      value(12, 'y', FLOAT, [-1, WIDTH]),
      ...names.map((name) => externalInitializer(name, [fileBytes / 4 / WIDTH, WIDTH], `${name}.bin`, fileBytes)),
      ...names.map((name) => node('Gather', [name, 'i'], [`${name}_row`])),
      node(
        'Sum',
        names.map((name) => `${name}_row`),
        ['y'],
      ),
    ]),
  );
  for (const [i, name] of names.entries()) await writeWeights(join(dir, `${name}.bin`), fileBytes, i);
  writeYaml(dir, options);
}

export function writeYaml(dir: string, { name, version = '1', files, fileBytes, image }: WeightsProject): void {
  const memory = Math.ceil((files * fileBytes) / 2 ** 20) * 2 + 500;
  writeFileSync(
    join(dir, 'inlay.yaml'),
    `name: ${name}\nversion: "${version}"\n${image === undefined ? '' : `image: ${image}\n`}model: model.onnx\nsample: [0]\nserver: {memory: ${memory}Mi}\n`,
  );
}

/** @param seed other seeds, other weights */
export async function writeWeights(path: string, bytes: number, seed: number): Promise<void> {
  const piece = Float32Array.from({ length: 2 ** 18 }, (_, i) => Math.sin(i * 0.37 + seed));
  const file = await open(path, 'w');
  for (let at = 0; at < bytes; at += piece.byteLength) {
    piece[0] = seed + at / bytes;
    await file.write(new Uint8Array(piece.buffer));
  }
  await file.close();
}
