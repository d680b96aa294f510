// The shortest script on the same runtime that loads the model and answers.
import * as ort from 'onnxruntime-node';

const session = await ort.InferenceSession.create(process.env.MODEL_FILEPATH as string);
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  async fetch(request) {
    const { data } = (await request.json()) as { data: number[][] };
    const input = new ort.Tensor('float32', Float32Array.from(data.flat()), [data.length, 4]);
    const results = await session.run({ float_input: input }, ['output_probability']);
    return Response.json({ prediction: Array.from(results.output_probability?.data as Float32Array) });
  },
});
