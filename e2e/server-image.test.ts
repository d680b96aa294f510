// A shared server image in a registry: a build adds the model to it, and moves none of its layers.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { crane } from './go-programs.ts';
import { must, predict, ROOT, run, startImage } from './inlay.ts';
import { startCraneRegistry, startDockerRegistry } from './registries.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const INLAY = join(ROOT, 'bin', 'inlay');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-server-image-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Built {
  digest: string;
  push: { uploaded: string[]; mounted: string[]; existing: string[]; sentBytes: number };
  sboms: string[];
  provenance: string[];
  platforms: { layers: { kind: string; digest: string; sizeBytes: number }[] }[];
}

const totalBytes = (folder: string): number =>
  readdirSync(folder, { recursive: true }).reduce((sum, name) => {
    const found = statSync(join(folder, String(name)));
    return sum + (found.isFile() ? found.size : 0);
  }, 0);

test('a model image on a pushed server image: layers mounted, none fetched, the same digests as composed here', async () => {
  const registry = await startDockerRegistry();
  try {
    const server = `${registry.host}/ml/server:1`;
    const shared = JSON.parse(
      await must([INLAY, 'server-image', server, '--lock', join(dir, 'server.lock'), '--push', '--json'], {
        env: { INLAY_HOME: HOME },
      }),
    ) as Built;
    expect(shared.platforms[0]?.layers.map(({ kind }) => kind)).toEqual(['base', 'runtime', 'server']);
    await must([await crane(), 'validate', '--insecure', '--fast', '--remote', server]);

    const project = join(dir, 'iris');
    mkdirSync(project);
    for (const file of ['iris_svc.onnx', 'label.json'])
      cpSync(join(ROOT, 'test', 'data', 'reference', file), join(project, file));
    const yaml = (version: string, image: string) =>
      writeFileSync(
        join(project, 'inlay.yaml'),
        `name: iris\nversion: "${version}"\nimage: ${image}\nserverImage: ${server}\nmodel: iris_svc.onnx\nlabels: label.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n`,
      );
    yaml('1', `${registry.host}/ml/iris`);
    // A machine that has never composed a layer.
    const home = join(dir, 'empty-home');
    const env = { INLAY_HOME: home };
    const built = JSON.parse(await must([INLAY, 'build', project, '--push', '--json'], { env })) as Built;
    expect(built.platforms[0]?.layers.slice(0, 3).map(({ digest }) => digest)).toEqual(
      shared.platforms[0]?.layers.map(({ digest }) => digest) as string[],
    );
    expect(built.push.mounted.length).toBe(3);
    // Its bill of materials is whole, though nothing of the server image was made here.
    const attached = (digest: string | undefined) => {
      const blob = (of: string) => readFileSync(join(home, 'oci', 'blobs', 'sha256', of.slice(7)), 'utf8');
      return JSON.parse(blob(JSON.parse(blob(digest as string)).layers[0].digest));
    };
    const names = (attached(built.sboms[0]) as { components: { name: string }[] }).components.map(({ name }) => name);
    for (const name of ['libc6', 'onnxruntime-node', 'inlay-server', 'yaml', 'iris']) expect(names).toContain(name);
    expect(attached(built.provenance[0]).predicate.buildDefinition.resolvedDependencies).toContainEqual({
      name: 'server-image',
      uri: server,
      digest: { sha256: shared.digest.slice(7) },
    });
    // SBOM and provenance are most of it.
    expect(built.push.sentBytes).toBeLessThan(40_000);
    expect(totalBytes(join(home, 'oci'))).toBeLessThan(100_000);
    expect(parse(readFileSync(join(project, 'inlay.lock'), 'utf8'))).toMatchObject({
      serverImage: { reference: server, digest: shared.digest },
    });
    await must([await crane(), 'validate', '--insecure', '--fast', '--remote', `${registry.host}/ml/iris:1`]);

    // Pulled, it answers.
    await must([INLAY, 'pull', `${registry.host}/ml/iris:1`], { env });
    const { url, child } = await startImage([`${registry.host}/ml/iris:1`, '--engine', 'process', '--port', '0'], env);
    try {
      expect(await predict(url, [[5.1, 3.5, 1.4, 0.2]])).toEqual([
        0.9709315896034241, 0.015583082102239132, 0.013485366478562355,
      ]);
    } finally {
      child.kill('SIGTERM');
      await child.exited;
    }
    // To another registry its layers go from where they are.
    const other = await startCraneRegistry();
    try {
      const second = join(dir, 'second-home');
      yaml('2', `${other.host}/ml/iris`);
      const sent = JSON.parse(
        await must([INLAY, 'build', project, '--push', '--json'], { env: { INLAY_HOME: second } }),
      ) as Built;
      expect(sent.push.uploaded.length).toBeGreaterThanOrEqual(6);
      await must([await crane(), 'validate', '--insecure', '--fast', '--remote', `${other.host}/ml/iris:2`]);
    } finally {
      await other.stop();
    }
    // The pin holds when the tag moves on; what is in the store asks no registry.
    yaml('3', `${registry.host}/ml/iris`);
    await registry.stop();
    await must([INLAY, 'build', project], { env });
  } finally {
    await registry.stop();
  }
}, 300_000);

test('the image that pins its base is the one that is built of the pins', async () => {
  const build = async () =>
    JSON.parse(
      await must([INLAY, 'server-image', 'localhost:1/ml/server:1', '--lock', join(dir, 'pinned.lock'), '--json'], {
        env: { INLAY_HOME: HOME },
      }),
    ) as Built;
  const first = await build();
  expect((await build()).digest).toBe(first.digest);
}, 120_000);

test('an image that is no server image is refused, and the DaemonSet names the digest', async () => {
  const registry = await startCraneRegistry();
  try {
    const server = `${registry.host}/ml/server:1`;
    const printed = await must(
      [INLAY, 'server-image', server, '--lock', join(dir, 'server.lock'), '--push', '--prepull'],
      { env: { INLAY_HOME: HOME } },
    );
    const daemonSet = parse(printed) as { spec: { template: { spec: { containers: { image: string }[] } } } };
    const [container] = daemonSet.spec.template.spec.containers;
    expect(container?.image).toMatch(/\/ml\/server:1@sha256:[0-9a-f]{64}$/);
    const project = join(dir, 'wrong');
    mkdirSync(project);
    cpSync(join(ROOT, 'test', 'data', 'reference', 'iris_svc.onnx'), join(project, 'iris_svc.onnx'));
    const yaml = (image: string, on: string) =>
      writeFileSync(
        join(project, 'inlay.yaml'),
        `name: wrong\nversion: "1"\nimage: ${registry.host}/${image}\nserverImage: ${on}\nmodel: iris_svc.onnx\nsample: [[5.1, 3.5, 1.4, 0.2]]\n`,
      );
    const env = { INLAY_HOME: HOME };
    yaml('ml/model', server);
    await must([INLAY, 'build', project, '--push'], { env });
    yaml('ml/other', `${registry.host}/ml/model:1`);
    const refused = await run([INLAY, 'build', project, '--json'], { env });
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('SERVER_IMAGE_INVALID')]);
  } finally {
    await registry.stop();
  }
}, 300_000);
