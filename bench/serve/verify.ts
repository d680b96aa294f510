import type { BenchModel } from './models/model-dir.ts';
import type { ServerProcess } from './server-process.ts';

const RELATIVE = 1e-5;

/** Asks once and holds the answer to ONNX Runtime's own. @throws when the numbers are others */
export async function verifyAnswer(server: ServerProcess, model: BenchModel): Promise<void> {
  const found = server.peer.numbers(await server.ask());
  const same =
    found.length === model.expected.length &&
    model.expected.every(
      (value, i) => Math.abs(value - (found[i] as number)) <= RELATIVE * Math.max(1, Math.abs(value)),
    );
  if (!same) throw new Error(`${server.peer.name} answers ${found.slice(0, 8)}, not ${model.expected.slice(0, 8)}`);
}
