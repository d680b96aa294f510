// A release as far as its registry: versions that inlay decides, and two releases that want the same one.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReleaseSummary } from '../src/release/index.ts';
import { ROOT, run } from './inlay.ts';
import { countRequests, type RunningRegistry, startDockerRegistry } from './registries.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');

let dir: string;
let registry: RunningRegistry;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-push-'));
  registry = await startDockerRegistry();
});
afterAll(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** examples/iris, with lines of inlay.yaml changed. */
function project(name: string, image: string, edit: (text: string) => string = (text) => text): string {
  const folder = join(dir, name);
  cpSync(join(ROOT, 'examples', 'iris'), folder, { recursive: true });
  const text = readFileSync(join(folder, 'inlay.yaml'), 'utf8').replace(
    /^version: .*$/m,
    `version: auto\nimage: ${image}`,
  );
  writeFileSync(join(folder, 'inlay.yaml'), edit(text));
  return folder;
}

async function release(folder: string): Promise<{ code: number; summary: ReleaseSummary }> {
  const args = ['release', folder, '--no-train', '--until', 'push', '--json'];
  const { code, stdout, stderr } = await run([join(ROOT, 'bin', 'inlay'), ...args], { env: { INLAY_HOME: HOME } });
  if (stdout === '') throw new Error(stderr);
  return { code, summary: JSON.parse(stdout) as ReleaseSummary };
}

async function tagsOf(repository: string): Promise<string[]> {
  const answer = await fetch(`http://${registry.host}/v2/${repository}/tags/list`);
  return ((await answer.json()) as { tags: string[] }).tags.filter((tag) => !tag.startsWith('sha256-')).sort();
}

test('versions follow from what changes', async () => {
  const image = `${registry.host}/ml/iris`;
  const first = await release(project('first', image));
  expect([first.code, first.summary.next]).toMatchObject([0, { version: '0.1.0', level: 'first' }]);
  const again = await release(project('again', image));
  expect(again.summary.next).toMatchObject({ version: '0.1.0', level: 'same' });
  expect(again.summary.image?.digest).toBe(first.summary.image?.digest ?? '');
  const other = await release(project('sample', image, (text) => text.replace('5.1', '5.2')));
  expect(other.summary.next).toMatchObject({ version: '0.1.1', level: 'patch' });
  const bigger = await release(project('bigger', image, (text) => text.replace('300Mi', '400Mi')));
  expect(bigger.summary.next).toMatchObject({ version: '0.2.0', level: 'minor', why: ['server memory'] });
  const broken = await release(project('broken', image, (text) => text.replace('task: classification', 'task: other')));
  expect(broken.summary.next).toMatchObject({ version: '1.0.0', level: 'major', why: ['task'] });
  expect(await tagsOf('ml/iris')).toEqual(['0.1.0', '0.1.1', '0.2.0', '1.0.0']);
}, 300_000);

test('of two releases that want the same version, the second takes the next', async () => {
  const path = 'race/iris';
  const other = project('other', `${registry.host}/${path}`, (text) => text.replace('5.1', '4.9'));
  let theirs: ReleaseSummary | undefined;
  // Where the one asks whether its tag is free, the other has been quicker.
  const slow = await countRequests(registry, async ({ path: asked }) => {
    if (theirs !== undefined || !asked.endsWith(`/${path}/manifests/0.1.0`)) return;
    theirs = (await release(other)).summary;
  });
  try {
    const { code, summary } = await release(project('mine', `${slow.host}/${path}`));
    expect([code, theirs?.image?.version, summary.image?.version]).toEqual([0, '0.1.0', '0.1.1']);
    expect(summary.steps.find(({ name }) => name === 'push')?.detail).toContain('0.1.0 was taken');
    expect(await tagsOf(path)).toEqual(['0.1.0', '0.1.1']);
  } finally {
    await slow.stop();
  }
}, 300_000);
