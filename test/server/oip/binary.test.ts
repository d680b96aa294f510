import { afterAll, beforeAll, expect, test } from 'bun:test';
import { allocate, type Datatype } from '../../../src/contract/index.ts';
import { everyType, serveModel, TYPES, VALUES } from './every-type.ts';

let types: Awaited<ReturnType<typeof serveModel>>;
let floats: Awaited<ReturnType<typeof serveModel>>;
beforeAll(async () => {
  types = await serveModel(everyType());
  floats = await serveModel(everyType(['FP32']));
});
afterAll(async () => {
  await types.close();
  await floats.close();
});

/** Bytes of two values, by numpy's way for each datatype. */
function bytesOf(type: Datatype): Buffer {
  const values = VALUES[type];
  if (type === 'BYTES')
    return Buffer.concat(
      values.flatMap((text) => {
        const bytes = Buffer.from(text as string);
        return [Buffer.from(Uint32Array.of(bytes.length).buffer), bytes];
      }),
    );
  const data = allocate(type, 2) as Float32Array;
  values.forEach((value, i) => {
    data[i] = (type.endsWith('64') && type !== 'FP64' ? BigInt(value as number) : Number(value)) as number;
  });
  return Buffer.from(data.buffer);
}

interface Binary {
  readonly inputs?: readonly object[];
  readonly more?: object;
  readonly tensors: readonly Uint8Array[];
  readonly headerLength?: string;
  readonly pad?: number;
}

/** Sends JSON with tensors behind it; `pad` moves them by so many spaces, so that they lie at every alignment. */
async function send(url: string, { inputs, more, tensors, headerLength, pad = 0 }: Binary) {
  const json = inputs ? JSON.stringify({ inputs, ...more }) + ' '.repeat(pad) : '';
  const response = await fetch(`${url}/v2/models/types/infer`, {
    method: 'POST',
    body: Buffer.concat([Buffer.from(json), ...tensors]),
    headers: { 'inference-header-content-length': headerLength ?? String(Buffer.byteLength(json)) },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = response.headers.get('inference-header-content-length');
  return { response, body: JSON.parse(bytes.subarray(0, Number(length ?? bytes.length)).toString()), bytes, length };
}

const binaryInput = (type: Datatype, size: number, shape = [1, 2]) => ({
  name: `in_${type}`,
  datatype: type,
  shape,
  parameters: { binary_data_size: size },
});

test('binary tensors in and out, of every datatype, at every alignment', async () => {
  for (let pad = 0; pad < 8; pad++) {
    const { response, body, bytes, length } = await send(types.url, {
      inputs: TYPES.map((type) => binaryInput(type, bytesOf(type).length)),
      more: { parameters: { binary_data_output: true } },
      tensors: TYPES.map(bytesOf),
      pad,
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    let at = Number(length);
    for (const { name, datatype, parameters } of body.outputs) {
      const size = parameters.binary_data_size;
      expect([name, bytes.subarray(at, at + size).toString('hex')]).toEqual([
        `out_${datatype}`,
        bytesOf(datatype).toString('hex'),
      ]);
      at += size;
    }
    expect([body.outputs.length, at]).toEqual([TYPES.length, bytes.length]);
  }
});

test('each output says for itself whether it is binary, in the order asked for', async () => {
  const { body, bytes, length } = await send(types.url, {
    inputs: TYPES.map((type) => binaryInput(type, bytesOf(type).length)),
    more: {
      parameters: { binary_data_output: true },
      outputs: [{ name: 'out_INT8', parameters: { binary_data: false } }, { name: 'out_BOOL' }],
    },
    tensors: TYPES.map(bytesOf),
  });
  expect(body.outputs).toEqual([
    { name: 'out_INT8', datatype: 'INT8', shape: [1, 2], data: [-128, 127] },
    { name: 'out_BOOL', datatype: 'BOOL', shape: [1, 2], parameters: { binary_data_size: 2 } },
  ]);
  expect([...bytes.subarray(Number(length))]).toEqual([1, 0]);
});

test('64-bit integers beyond 2^53 are exact: in binary, and in the digits of JSON answers', async () => {
  const wide = Buffer.from(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)).buffer);
  const response = await fetch(`${types.url}/v2/models/types/infer`, {
    method: 'POST',
    ...(() => {
      const json = Buffer.from(
        JSON.stringify({
          inputs: TYPES.map((type) => binaryInput(type, bytesOf(type).length)),
          outputs: [{ name: 'out_INT64' }],
        }),
      );
      return {
        body: Buffer.concat([json, ...TYPES.map((type) => (type === 'INT64' ? wide : bytesOf(type)))]),
        headers: { 'inference-header-content-length': String(json.length) },
      };
    })(),
  });
  expect(await response.text()).toContain('[9223372036854775807,-9223372036854775808]');
});

test('a header length of 0: the body is the tensor of the one input, and all outputs are binary', async () => {
  const { response, body, bytes, length } = await send(floats.url, {
    tensors: [Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)],
    headerLength: '0',
  });
  expect([response.status, body.outputs]).toEqual([
    200,
    [{ name: 'out_FP32', datatype: 'FP32', shape: [2, 2], parameters: { binary_data_size: 16 } }],
  ]);
  expect(bytes.subarray(Number(length)).toString('hex')).toBe('0000803f000000400000404000008040');
  for (const size of [0, 3, 4, 12])
    expect((await send(floats.url, { tensors: [Buffer.alloc(size)], headerLength: '0' })).response.status).toBe(400);
  expect((await send(types.url, { tensors: [Buffer.alloc(8)], headerLength: '0' })).response.status).toBe(400);
});

test('a NaN that comes in and goes through is the request’s fault', async () => {
  const { response, body } = await send(floats.url, {
    inputs: [binaryInput('FP32', 8)],
    tensors: [Buffer.from(Float32Array.of(Number.NaN, 1).buffer)],
  });
  expect([response.status, body.error]).toEqual([400, expect.stringContaining('in_FP32')]);
});

test('what does not add up is a 400', async () => {
  const one = Buffer.from(Float32Array.of(1, 2).buffer);
  const wrong: Binary[] = [
    { inputs: [binaryInput('FP32', 8)], tensors: [] },
    { inputs: [binaryInput('FP32', 7)], tensors: [one] },
    { inputs: [binaryInput('FP32', 8)], tensors: [one, one] },
    { inputs: [binaryInput('FP32', -1)], tensors: [one] },
    { inputs: [binaryInput('FP32', 1e30)], tensors: [one] },
    { inputs: [binaryInput('FP32', 8, [2, 2])], tensors: [one] },
    { inputs: [{ ...binaryInput('FP32', 8), data: [1, 2] }], tensors: [one] },
    { inputs: [{ ...binaryInput('FP32', 8), parameters: { binary_data_size: '8' } }], tensors: [one] },
    ...['-1', '99999', 'x', '1e1', '', ' '].map((headerLength) => ({
      inputs: [binaryInput('FP32', 8)],
      tensors: [one],
      headerLength,
    })),
  ];
  for (const request of wrong)
    expect([request, (await send(floats.url, request)).response.status]).toEqual([request, 400]);
});

test('fuzz: whatever lengths, sizes, types and bytes come, the answer is 200 or 400, and the server goes on', async () => {
  // Numerical Recipes' generator: the same requests each time.
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const seen = new Map<number, number>();
  for (let round = 0; round < 600; round++) {
    const tensors = TYPES.map((type) => {
      const bytes = Buffer.from(bytesOf(type));
      const change = random(40);
      if (change === 0) return bytes.subarray(random(bytes.length));
      if (change === 1) return Buffer.concat([bytes, Buffer.alloc(random(9), random(256))]);
      if (change < 4 && bytes.length > 0) bytes[random(bytes.length)] = random(256);
      return bytes;
    });
    const inputs = TYPES.map((type, i) => {
      const rows = random(30) === 0 ? random(5) - 1 : 1;
      const size = (tensors[i] as Buffer).length + (random(60) === 0 ? random(17) - 8 : 0);
      return binaryInput(TYPES[random(80) === 0 ? random(TYPES.length) : i] ?? type, size, [rows, 2]);
    });
    const headerLength = random(20) === 0 ? { headerLength: String(random(3000)) } : {};
    const { response, body } = await send(types.url, { inputs, tensors, pad: random(8), ...headerLength });
    seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
    expect([200, 400]).toContain(response.status);
    if (response.status === 400) expect(body).toEqual({ error: expect.any(String) });
  }
  expect(seen.get(200)).toBeGreaterThan(10);
  expect(seen.get(400)).toBeGreaterThan(100);
});
