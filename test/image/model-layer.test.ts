import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProject } from '../../src/contract/index.ts';
import { modelEnvironment } from '../../src/image/model-layer.ts';
import { healthy } from '../broken/projects.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-model-layer-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the heap grows as on a machine with the memory that the server asks for', async () => {
  healthy(dir);
  const file = join(dir, 'inlay.yaml');
  expect(modelEnvironment(await readProject(dir)).BUN_JSC_forceRAMSize).toBe(String(300 * 2 ** 20));
  writeFileSync(file, readFileSync(file, 'utf8').replace('300Mi', '1Gi'));
  expect(modelEnvironment(await readProject(dir)).BUN_JSC_forceRAMSize).toBe(String(2 ** 30));
});
