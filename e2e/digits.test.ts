// examples/digits from its sources to an image under runc that answers an uploaded PNG.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, ROOT, startImage } from './inlay.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const DIGITS = join(ROOT, 'examples/digits');
const INLAY = join(ROOT, 'bin', 'inlay');

interface Built {
  reference: string;
  digest: string;
  platforms: { layers: { kind: string; digest: string; mediaType: string; sizeBytes: number; reused: boolean }[] }[];
}
interface Answer {
  prediction: number[];
  label: string;
}
interface Golden {
  raw: { request: { contentType: string; base64: string }; answer: Answer }[];
}

let dir: string;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'inlay-e2e-digits-')));
  cpSync(DIGITS, join(dir, 'digits'), { recursive: true });
  // The base is pinned where the mirror stands today.
  await must([INLAY, 'lock', join(dir, 'digits')], { env: { INLAY_HOME: HOME } });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const build = async (project: string): Promise<Built> =>
  JSON.parse(await must([INLAY, 'build', project, '--json'], { env: { INLAY_HOME: HOME } })) as Built;
const layersOf = (built: Built) => built.platforms[0]?.layers ?? [];
const layerOf = (built: Built, kind: string) => layersOf(built).find((layer) => layer.kind === kind);

test.each(['runc', 'process'] as const)(
  'under %s every image is answered as Python answered it, to the digit where nothing rounds',
  async (engine) => {
    const built = await build(join(dir, 'digits'));
    const args = [built.reference, '--engine', engine, '--port', '0', '--memory', '300Mi', '--env', 'DRAIN_S=0'];
    const { url, child, output } = await startImage(args, { INLAY_HOME: HOME });
    const post = (body: BodyInit, type: string, path = '/predict') =>
      fetch(url + path, { method: 'POST', body, headers: { 'content-type': type } });
    try {
      const seven = readFileSync(join(DIGITS, 'samples/7.png'));
      expect(await (await post(seven, 'image/png')).json()).toMatchObject({ label: '7' });
      expect(await (await post(seven, 'image/png', '/predict/label')).json()).toEqual({ prediction: '7' });
      const { raw } = JSON.parse(readFileSync(join(DIGITS, 'golden.json'), 'utf8')) as Golden;
      for (const { request, answer } of raw) {
        const response = await post(Buffer.from(request.base64, 'base64'), request.contentType);
        const { prediction, label } = (await response.json()) as Answer;
        expect(label).toBe(answer.label);
        const largest = Math.max(...prediction.map((value, i) => Math.abs(value - (answer.prediction[i] as number))));
        expect(largest).toBeLessThan(request.contentType === 'image/png' ? 1e-6 : 1e-3);
      }
      // As a browser's form sends it.
      const form = await must(['curl', '-sS', `${url}/predict`, '-F', `file=@${join(DIGITS, 'samples/3.jpg')}`]);
      expect(JSON.parse(form)).toMatchObject({ label: '3' });
      expect((await post('no image', 'image/png')).status).toBe(400);
      expect((await post('{}', 'application/json')).status).toBe(415);
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect(output()).toContain('goldenRows=100');
    } finally {
      child.kill('SIGTERM');
      await child.exited;
    }
  },
  300_000,
);

test('two folders give one image; a retrained model keeps the transform’s layer, another transform the others', async () => {
  const first = await build(join(dir, 'digits'));
  expect(layersOf(first).map(({ kind }) => kind)).toEqual(['base', 'runtime', 'server', 'transform', 'model']);
  const elsewhere = join(dir, 'a', 'deeper', 'folder');
  cpSync(join(dir, 'digits'), elsewhere, { recursive: true });
  expect((await build(elsewhere)).digest).toBe(first.digest);

  // A field that no reader of ONNX knows: another file, the same answers.
  appendFileSync(join(elsewhere, 'models', 'digits.onnx'), Uint8Array.of(0xc2, 0x3e, 0x00));
  const retrained = await build(elsewhere);
  expect(layerOf(retrained, 'transform')).toEqual({ ...layerOf(first, 'transform'), reused: true } as never);
  expect(layerOf(retrained, 'model')?.digest).not.toBe(layerOf(first, 'model')?.digest);

  const script = join(elsewhere, 'transform.ts');
  writeFileSync(script, readFileSync(script, 'utf8').replace('Send one digit on plain paper.', 'Send one digit.'));
  const rewritten = await build(elsewhere);
  expect(layerOf(rewritten, 'transform')?.digest).not.toBe(layerOf(first, 'transform')?.digest);
  for (const kind of ['base', 'runtime', 'server'])
    expect(layerOf(rewritten, kind)?.digest).toBe(layerOf(first, kind)?.digest as string);
}, 300_000);

test('inspect and the SBOM tell of it', async () => {
  const built = await build(join(dir, 'digits'));
  const env = { INLAY_HOME: HOME };
  const { contract } = JSON.parse(await must([INLAY, 'inspect', built.reference, '--json'], { env })) as {
    contract: { transform: object };
  };
  expect(contract.transform).toMatchObject({ file: 'transform.ts', accepts: ['image/png', 'image/jpeg'] });
  const sboms = readdirSync(join(HOME, 'oci/blobs/sha256'))
    .map((name) => readFileSync(join(HOME, 'oci/blobs/sha256', name)))
    .filter((bytes) => bytes.length < 1e6 && bytes.includes('CycloneDX') && bytes.includes('pkg:npm/fast-png@8.0.0'));
  expect(sboms.length).toBeGreaterThan(0);
});

test('under runc, where it is process 1, a transform that never returns ends the container', async () => {
  const project = join(dir, 'hangs');
  cpSync(join(dir, 'digits'), project, { recursive: true });
  const script = join(project, 'transform.ts');
  const hang = 'preprocess({ bytes, contentType }, model) {\n    if (bytes.length === 3) for (;;);\n';
  writeFileSync(script, readFileSync(script, 'utf8').replace('preprocess({ bytes, contentType }, model) {\n', hang));
  const built = await build(project);
  const args = [built.reference, '--engine', 'runc', '--port', '0', '--env', 'LIVENESS_TIMEOUT_S=1'];
  const { url, child, output } = await startImage(args, { INLAY_HOME: HOME });
  const asked = fetch(`${url}/predict`, {
    method: 'POST',
    body: 'hang'.slice(1),
    headers: { 'content-type': 'image/png' },
  });
  await expect(asked).rejects.toThrow();
  expect(await child.exited).not.toBe(0);
  expect(output()).toContain('a transform does not return');
}, 120_000);
