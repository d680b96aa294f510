import { afterAll, beforeAll, expect, test } from 'bun:test';
import { SETOSA, serveReference, VIRGINICA } from './serving.ts';

let served: Awaited<ReturnType<typeof serveReference>>;
beforeAll(async () => {
  served = await serveReference();
});
afterAll(async () => {
  await served.server.close();
  await served.engine.close();
});

const get = async (path: string) => {
  const response = await fetch(served.url + path);
  return [response.status, await response.json()] as const;
};
const post = async (path: string, body: unknown) => {
  const response = await fetch(served.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return [response.status, await response.json()] as const;
};

test('the reference server’s routes answer as it does', async () => {
  expect(await get('/health')).toEqual([200, { health: 'ok' }]);
  expect(await get('/metadata')).toEqual([
    200,
    {
      data_type: 'float32',
      data_structure: '(1,4)',
      data_sample: [[5.1, 3.5, 1.4, 0.2]],
      prediction_type: 'float32',
      prediction_structure: '(1,3)',
      prediction_sample: SETOSA,
      execution: { batch: 'exact', max_batch_rows: 64, mode: 'inline' },
    },
  ]);
  expect(await get('/label')).toEqual([200, { '0': 'setosa', '1': 'versicolor', '2': 'virginica' }]);
  expect(await get('/predict/test')).toEqual([200, { prediction: SETOSA }]);
  expect(await get('/predict/test/label')).toEqual([200, { prediction: 'setosa' }]);
  expect(await post('/predict', { data: [[1, 2, 3, 4]] })).toEqual([200, { prediction: VIRGINICA }]);
  expect(await post('/predict/label', { data: [[1, 2, 3, 4]] })).toEqual([200, { prediction: 'virginica' }]);
});

test('no data predicts the sample', async () => {
  expect(await post('/predict', {})).toEqual([200, { prediction: SETOSA }]);
  expect(await post('/predict/label', {})).toEqual([200, { prediction: 'setosa' }]);
});

test('several rows answer a row each', async () => {
  const data = [
    [5.1, 3.5, 1.4, 0.2],
    [1, 2, 3, 4],
  ];
  expect(await post('/predict', { data })).toEqual([200, { prediction: [SETOSA, VIRGINICA] }]);
  expect(await post('/predict/label', { data })).toEqual([200, { prediction: ['setosa', 'virginica'] }]);
});

test('the label is the argmax of the probabilities, not the label output of the model', async () => {
  // The SVC votes pairwise and its probabilities are fitted apart: here its own label is setosa, its likeliest class virginica.
  const results = await served.engine.run({
    float_input: { datatype: 'FP32', shape: [1, 4], data: Float32Array.of(0, 0, 0, 0) },
  });
  const probabilities = Array.from(results.output_probability?.data as Float32Array);
  const argmax = probabilities.indexOf(Math.max(...probabilities));
  const [, answer] = await post('/predict/label', { data: [[0, 0, 0, 0]] });
  expect(answer).toEqual({ prediction: ['setosa', 'versicolor', 'virginica'][argmax] });
});

test('probes', async () => {
  for (const path of ['/health/live', '/health/ready', '/health/startup'])
    expect(await get(path)).toEqual([200, { health: 'ok' }]);
});

test('HEAD answers as GET, without a body', async () => {
  const response = await fetch(`${served.url}/health`, { method: 'HEAD' });
  expect([response.status, await response.text()]).toEqual([200, '']);
});

test('/docs shows Swagger UI with nothing from elsewhere', async () => {
  const page = await (await fetch(`${served.url}/docs`)).text();
  expect(page).not.toMatch(/https?:\/\//);
  for (const [, asset] of page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)) {
    const response = await fetch(`${served.url}/${asset}`);
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(10_000);
  }
});

test('/openapi.json has the datatype and width of the model', async () => {
  const [status, document] = await get('/openapi.json');
  expect(status).toBe(200);
  const schema = document.paths['/predict'].post.requestBody.content['application/json'].schema.properties.data;
  expect(schema.items).toMatchObject({ minItems: 4, maxItems: 4, items: { type: 'number', format: 'float' } });
  expect(document.paths['/predict/test'].get.responses['200'].content['application/json'].example).toEqual({
    prediction: SETOSA,
  });
});

test('a wrong method is told which fit', async () => {
  const response = await fetch(`${served.url}/predict`);
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  expect(await response.json()).toEqual({
    error: { code: 'METHOD_NOT_ALLOWED', message: '/predict takes POST, not GET' },
  });
});

test('an unknown route is told what is near', async () => {
  expect(await get('/predicts')).toEqual([
    404,
    { error: { code: 'NOT_FOUND', message: 'there is no /predicts', hint: 'Did you mean /predict?' } },
  ]);
});
