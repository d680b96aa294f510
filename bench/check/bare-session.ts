// The least that loads a model and runs it once: what `check` is held against.
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [path = '', width = '0'] = process.argv.slice(2);
const session = await InferenceSession.create(path, { intraOpNumThreads: 2, logSeverityLevel: 3 });
await session.run({ x: new Tensor('float32', new Float32Array(Number(width)), [1, Number(width)]) });
