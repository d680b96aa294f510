import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeText } from '../../src/contract/onnx/wire.ts';
import { ROOT } from '../serve/root.ts';

const MODEL = join(ROOT, 'examples', 'iris', 'models', 'iris_svc.onnx');

/** The iris model as a project that can be retrained. */
export function writeIris(dir: string, version: string, image?: string): void {
  mkdirSync(dir, { recursive: true });
  cpSync(join(ROOT, 'examples', 'iris', 'models', 'label.json'), join(dir, 'label.json'));
  writeFileSync(
    join(dir, 'inlay.yaml'),
    `name: iris\nversion: "${version}"\n${image === undefined ? '' : `image: ${image}\n`}model: iris.onnx\nlabels: label.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n`,
  );
  retrain(dir, 0);
}

/** Other bytes of the same model: its documentation (ModelProto.doc_string) says which training it was. */
export function retrain(dir: string, round: number): void {
  const doc = encodeText(6, `training ${round}, ${crypto.randomUUID()}`);
  writeFileSync(join(dir, 'iris.onnx'), Buffer.concat([readFileSync(MODEL), ...doc]));
}
