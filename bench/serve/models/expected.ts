import * as ort from 'onnxruntime-node';

/** What ONNX Runtime itself answers to the sample, as plain numbers: what each server's answer is held to. */
export async function expectedNumbers(modelPath: string, output: string, sample: unknown): Promise<number[]> {
  const session = await ort.InferenceSession.create(modelPath, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const values = Float32Array.from([sample].flat(4) as number[]);
  const feeds = { [session.inputNames[0] as string]: new ort.Tensor('float32', values, shapeOf(sample)) };
  const results = await session.run(feeds, [output]);
  const numbers = Array.from(results[output]?.data as Float32Array);
  await session.release();
  return numbers;
}

function shapeOf(nested: unknown): number[] {
  return Array.isArray(nested) ? [nested.length, ...shapeOf(nested[0])] : [];
}
