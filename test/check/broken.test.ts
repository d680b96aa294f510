import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkProject } from '../../src/check/index.ts';
import { BROKEN, healthy, healthyDigits, healthyExternal } from '../broken/projects.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-broken-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('there are at least forty', () => {
  expect(BROKEN.length).toBeGreaterThanOrEqual(40);
});

test.each(BROKEN.map((project, i) => [project.what, project.code, i] as const))('%s: %s', async (_, code, i) => {
  const project = join(dir, String(i));
  BROKEN[i]?.make(project);
  const { ok, findings } = await checkProject(project);
  expect(findings.map((finding) => finding.code)).toEqual([code]);
  expect(ok).toBe(findings[0]?.severity !== 'error');
  expect(findings[0]?.hint ?? findings[0]?.message).toMatch(/\S/);
});

test.each([
  ['examples/iris', healthy],
  ['examples/digits', healthyDigits],
  ['external data', healthyExternal],
])('%s is healthy: nothing is found', async (name, make) => {
  const project = join(dir, `healthy-${name.replace('/', '-')}`);
  make(project);
  expect((await checkProject(project)).findings).toEqual([]);
});
