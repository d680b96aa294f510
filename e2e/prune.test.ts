// Pruning with real registries: what the plan promises is what their own collection frees, a sweep that is killed goes on, and what is kept
// still pulls. With a real cluster: e2e/prune-cluster.test.ts.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PruneDocument, SweepResult } from '../src/prune/index.ts';
import { crane } from './go-programs.ts';
import { must, ROOT, run } from './inlay.ts';
import { buildVersions, forgetVersions, pushVersions } from './prune/versions.ts';
import { type DockerRegistry, type RunningRegistry, startCraneRegistry, startDockerRegistry } from './registries.ts';

const INLAY = join(ROOT, 'bin', 'inlay');
const VERSIONS = Array.from({ length: 12 }, (_, i) => `0.${i}.0`);

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-prune-'));
  await crane();
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** inlay's own folder, so that nothing is known from before. */
const homeOf = (name: string) => join(dir, `home-${name}`);

/** The committed file: nothing runs these images, so no cluster has to be asked. */
function declare(repository: string, clusters = '[]'): string {
  const file = join(dir, `${repository.replaceAll(/[:/]/g, '-')}.yaml`);
  writeFileSync(file, `clusters: ${clusters}\nkeepLast: 3\ngrace: 0s\nrepositories: {"${repository}": {}}\n`);
  return file;
}

async function plan(file: string, home: string, ...more: string[]): Promise<PruneDocument & { swept?: SweepResult }> {
  const args = ['prune', '--config', file, '--no-local', '--json', ...more];
  return JSON.parse(await must([INLAY, ...args], { env: { INLAY_HOME: home } }));
}

/** Sweeps, and kills the program once it has deleted so many manifests. */
async function sweepKilled(file: string, home: string, after: number): Promise<void> {
  const args = ['prune', '--config', file, '--no-local', '--yes', '--rate', '8'];
  const child = Bun.spawn([INLAY, ...args], {
    cwd: ROOT,
    env: { ...process.env, INLAY_HOME: home },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  let deleted = 0;
  for await (const chunk of child.stderr) {
    deleted += new TextDecoder().decode(chunk).match(/^deleted /gm)?.length ?? 0;
    if (deleted >= after) break;
  }
  child.kill('SIGKILL');
  await child.exited;
}

const tagsIn = async (repository: string) =>
  (await must([await crane(), 'ls', '--insecure', repository]))
    .split('\n')
    .filter((tag) => /^\d/.test(tag))
    .sort();

describe.each([
  ['docker-registry', () => startDockerRegistry()],
  ['go-containerregistry’s', () => startCraneRegistry()],
] as const)('%s', (name, start) => {
  let registry: RunningRegistry;
  let repository: string;
  let references: string[];
  beforeAll(async () => {
    registry = await start();
    repository = `${registry.host}/ml/iris`;
    references = await buildVersions(dir, repository, VERSIONS);
    await pushVersions(references);
  }, 300_000);
  afterAll(async () => {
    await forgetVersions(references);
    await registry.stop();
  });

  test('a plan, a sweep that is killed, one that goes on, and what was promised is free', async () => {
    const [file, home] = [declare(repository), homeOf(name)];
    const planned = await plan(file, home);
    expect(planned.gaps).toEqual([]);
    expect(planned.keep.map(({ tags }) => tags[0]).sort()).toEqual(['0.10.0', '0.11.0', '0.9.0']);
    expect(planned.drop).toHaveLength(9);
    expect(await tagsIn(repository)).toHaveLength(12);
    const docker = 'collect' in registry ? (registry as DockerRegistry) : undefined;
    await docker?.collect();
    const before = docker?.storedBytes() ?? 0;
    await sweepKilled(file, home, 5);
    const halfway = await tagsIn(repository);
    expect(halfway.length).toBeLessThan(12);
    expect(halfway.length).toBeGreaterThan(3);
    const { swept } = await plan(file, home, '--yes', '--rate', '1000');
    expect(swept).toMatchObject({ failures: [], spared: [] });
    expect(await tagsIn(repository)).toEqual(['0.10.0', '0.11.0', '0.9.0']);
    if (docker) {
      await docker.collect();
      const freed = before - docker.storedBytes();
      expect(Math.abs(freed - planned.freeBytes)).toBeLessThanOrEqual(planned.freeBytes / 100);
    }
    // All that is left pulls, with what is attached, for a tool that no one here wrote.
    for (const tag of await tagsIn(repository))
      await must([
        await crane(),
        'pull',
        '--insecure',
        '--format=oci',
        `${repository}:${tag}`,
        join(dir, `${name}-${tag}`),
      ]);
    expect((await plan(file, home)).drop).toEqual([]);
  }, 300_000);
});

test('a registry that does not delete is told so, and stays as it is', async () => {
  const registry = await startDockerRegistry({ deletes: false });
  const repository = `${registry.host}/ml/iris`;
  const references = await buildVersions(dir, repository, VERSIONS.slice(0, 5));
  try {
    await pushVersions(references);
    const file = declare(repository);
    const env = { INLAY_HOME: homeOf('off') };
    const { code, stdout } = await run([INLAY, 'prune', '--config', file, '--no-local', '--yes', '--json'], { env });
    expect([code, JSON.parse(stdout).swept.failures[0].code]).toEqual([3, 'REGISTRY_UNSUPPORTED']);
    expect(await tagsIn(repository)).toHaveLength(5);
    // Nor is it asked where nobody says who runs its images.
    const undeclared = await run([INLAY, 'prune', repository, '--no-local', '--yes', '--json'], { env, cwd: dir });
    expect([undeclared.code, JSON.parse(undeclared.stderr).error.code]).toEqual([1, 'PRUNE_REFUSED']);
  } finally {
    await forgetVersions(references);
    await registry.stop();
  }
}, 120_000);
