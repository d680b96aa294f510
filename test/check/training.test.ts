import { afterEach, beforeEach, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptedCodes, checkProject, requireGood } from '../../src/check/index.ts';
import { readProject } from '../../src/contract/index.ts';
import { isInlayError } from '../../src/error/index.ts';

const IRIS = join(import.meta.dir, '../../examples/iris');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-training-'));
  cpSync(IRIS, dir, { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));
const trainingFact = async () => (await checkProject(dir)).facts.find((fact) => fact.topic === 'training')?.text;

test("what stays out of the image is weighed by the project's own virtual environment", async () => {
  const site = join(dir, '.venv/lib/python3.12/site-packages');
  for (const [name, sizes] of [
    ['scikit_learn-1.7.2', [40e6, 2e6]],
    ['numpy-2.3.5', [8e6]],
  ] as const) {
    mkdirSync(join(site, `${name}.dist-info`), { recursive: true });
    const lines = sizes.map((size, i) => `"file, ${i}",sha256=x,${size}`);
    writeFileSync(join(site, `${name}.dist-info`, 'RECORD'), [...lines, 'RECORD,,'].join('\n'));
  }
  writeFileSync(join(dir, 'requirements.txt'), 'scikit-learn==1.7.2\nnumpy==2.3.5\n');
  expect(await trainingFact()).toBe('left out of the image, for training only: scikit-learn, numpy: 50 MB saved');
});

test("a uv.lock tells its wheels' sizes", async () => {
  rmSync(join(dir, 'requirements.txt'));
  const config = join(dir, 'inlay.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll('requirements.txt', 'uv.lock'));
  writeFileSync(
    join(dir, 'uv.lock'),
    `[[package]]
name = "pandas"
version = "2.0"
wheels = [
  { url = "https://x/pandas-2.0-cp312-win_amd64.whl", size = 9000000 },
  { url = "https://x/pandas-2.0-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", size = 12000000 },
]
`,
  );
  expect(await trainingFact()).toBe('left out of the image, for training only: pandas: 12 MB saved');
});

test('an error that was accepted is built, and stands in the contract', async () => {
  const golden = join(dir, 'golden.json');
  writeFileSync(golden, readFileSync(golden, 'utf8').replace(/"tolerance": [^,]+/, '"tolerance": 0'));
  const project = await readProject(dir);
  const cache = join(dir, 'verdicts');
  const refused = await requireGood(project, cache, '1').catch((error) => (isInlayError(error) ? error.code : error));
  expect(refused).toBe('CHECK_FAILED');
  const accepted = { ...project, contract: { ...project.contract, accepted: acceptedCodes(['golden']) } };
  expect(await requireGood(accepted, cache, '1')).toBe(false);
  expect(await requireGood(accepted, cache, '1')).toBe(true);
  expect(() => acceptedCodes(['labels'])).toThrow('there is no such check to skip');
});
