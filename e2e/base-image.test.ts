// Images that stand on another's: a server of inlay on a Debian image, and a FastAPI server of PyPI packages with a model baked in.
// The bases are made by umoci and pushed by skopeo to Debian's docker-registry.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CC, debianRoot, pushRoot } from './debian-root.ts';
import { crane } from './go-programs.ts';
import { must, predict, ROOT, run, startImage } from './inlay.ts';
import { type RunningRegistry, startDockerRegistry } from './registries.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const INLAY = join(ROOT, 'bin', 'inlay');
const env = { INLAY_HOME: HOME };

let dir: string;
let registry: RunningRegistry;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-base-'));
  registry = await startDockerRegistry();
});
afterAll(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Built {
  digest: string;
  push: { uploaded: string[]; mounted: string[]; sentBytes: number };
  platforms: { layers: { kind: string; digest: string; sizeBytes: number }[] }[];
}

function project(name: string, yaml: string): string {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'inlay.yaml'), yaml);
  return folder;
}

function iris(name: string, base: string, version = '1'): string {
  const folder = project(
    name,
    `name: iris\nversion: "${version}"\nimage: ${registry.host}/ml/${name}\nbase: ${base}\nmodel: iris_svc.onnx\nlabels: label.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n`,
  );
  for (const file of ['iris_svc.onnx', 'label.json'])
    cpSync(join(ROOT, 'test/data/reference', file), join(folder, file));
  return folder;
}

const build = async (folder: string, ...args: string[]) =>
  JSON.parse(await must([INLAY, 'build', folder, '--push', '--json', ...args], { env })) as Built;

test('inlay’s server on a Debian image: its layers are mounted, the reference numbers come out', async () => {
  const base = `${registry.host}/ml/debian:12`;
  const at = join(dir, 'debian');
  await pushRoot(at, await debianRoot(at, CC), base, ['--config.env', 'TEAM=infra']);
  const folder = iris('on-debian', base);
  const built = await build(folder);
  const layers = built.platforms[0]?.layers ?? [];
  expect(layers.map(({ kind }) => kind)).toEqual(['base', 'runtime', 'server', 'model']);
  expect(built.push.mounted).toContain(layers[0]?.digest as string);
  await must([await crane(), 'validate', '--insecure', '--fast', '--remote', `${registry.host}/ml/on-debian:1`]);
  const inspected = JSON.parse(await must([INLAY, 'inspect', `${registry.host}/ml/on-debian:1`, '--json'], { env }));
  expect(inspected.os).toBe('debian 12');
  expect(Object.keys(inspected.libraries)).toEqual(
    expect.arrayContaining(['bun', 'onnxruntime', 'libc6', 'libstdc++6']),
  );
  const { url, child } = await startImage([`${registry.host}/ml/on-debian:1`, '--engine', 'runc', '--port', '0'], env);
  try {
    expect(await predict(url, [[5.1, 3.5, 1.4, 0.2]])).toEqual([
      0.9709315896034241, 0.015583082102239132, 0.013485366478562355,
    ]);
  } finally {
    child.kill('SIGTERM');
    await child.exited;
  }
  // A retrained model on it: the layer, and no more than 20 kB.
  cpSync(join(ROOT, 'examples/iris/models/iris_svc.onnx'), join(folder, 'iris_svc.onnx'));
  writeFileSync(join(folder, 'inlay.yaml'), readFileSync(join(folder, 'inlay.yaml'), 'utf8').replace('"1"', '"2"'));
  const second = await build(folder);
  expect(second.platforms[0]?.layers.slice(0, 3)).toMatchObject(layers.slice(0, 3).map(({ digest }) => ({ digest })));
  // An archive of it, made by what knows the layers of a base only by their digests, is one that others read.
  await must([INLAY, 'build', folder, '--output', `docker-archive:${join(dir, 'iris.tar')}`], { env });
  const listed = await must(['skopeo', 'inspect', `docker-archive:${join(dir, 'iris.tar')}`]);
  expect((JSON.parse(listed) as { Layers: string[] }).Layers.length).toBe(4);
}, 600_000);

test('a shared server image on that base, and a model on it: mounted once more', async () => {
  const base = `${registry.host}/ml/debian:12`;
  const server = `${registry.host}/ml/server:1`;
  const lock = ['--lock', join(dir, 'server.lock')];
  const shared = JSON.parse(
    await must([INLAY, 'server-image', server, '--base', base, ...lock, '--push', '--json'], { env }),
  ) as Built;
  const digests = shared.platforms[0]?.layers.map(({ digest }) => digest) ?? [];
  expect(shared.push.mounted).toContain(digests[0] as string);
  const folder = iris('on-server', base);
  const yaml = readFileSync(join(folder, 'inlay.yaml'), 'utf8').replace(/^base: .*$/m, `serverImage: ${server}`);
  writeFileSync(join(folder, 'inlay.yaml'), yaml);
  // A machine that has neither: layers come when the image is run.
  const home = { INLAY_HOME: join(dir, 'server-home') };
  const built = JSON.parse(await must([INLAY, 'build', folder, '--push', '--json'], { env: home })) as Built;
  expect(built.platforms[0]?.layers.slice(0, 3).map(({ digest }) => digest)).toEqual(digests);
  expect(built.push.mounted.length).toBe(3);
  const image = `${registry.host}/ml/on-server:1`;
  const inspected = JSON.parse(await must([INLAY, 'inspect', image, '--json'], { env }));
  expect(inspected.os).toBe('debian 12');
  const { url, child } = await startImage([image, '--engine', 'runc', '--port', '0'], home);
  try {
    expect(await predict(url, [[5.1, 3.5, 1.4, 0.2]])).toEqual([
      0.9709315896034241, 0.015583082102239132, 0.013485366478562355,
    ]);
  } finally {
    child.kill('SIGTERM');
    await child.exited;
  }
}, 600_000);

test('bases that cannot carry the server are refused, each for what it lacks', async () => {
  for (const [name, packages, told] of [
    ['musl', ['musl', 'base-files'], 'musl'],
    ['static', ['base-files', 'ca-certificates'], 'libc.so.6'],
    ['base', ['base-files', 'libc6'], 'libstdc++.so.6'],
  ] as const) {
    const base = `${registry.host}/ml/${name}:1`;
    const at = join(dir, name);
    await pushRoot(at, await debianRoot(at, packages), base);
    const { code, stderr } = await run([INLAY, 'build', iris(`on-${name}`, base), '--json'], { env });
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
    expect([name, code, error.code]).toEqual([name, 3, 'BASE_INVALID']);
    expect(error.message).toContain(told);
  }
}, 600_000);

const APP = `import json, os
from fastapi import FastAPI

with open(os.path.join(os.environ["MODEL_FILEPATH"], "weights.json")) as file:
    weights = json.load(file)
app = FastAPI()

@app.post("/predict")
def predict(body: dict):
    return {"prediction": [sum(w * x for w, x in zip(weights, row)) for row in body["data"]]}
`;

const MAIN = `import os, uvicorn
uvicorn.run("app:app", host=os.environ["HOST"], port=int(os.environ["PORT"]))
`;

const PYTHON = [
  ...['python3.11-minimal', 'libpython3.11-minimal', 'libpython3.11-stdlib', 'libexpat1', 'zlib1g', 'libssl3'],
  ...['libffi8', 'libuuid1', 'libbz2-1.0', 'liblzma5', 'libcrypt1', 'media-types'],
];

test('a FastAPI server of PyPI packages with an opaque model: built, pushed, and it answers under runc', async () => {
  const base = `${registry.host}/ml/fastapi:1`;
  const at = join(dir, 'fastapi');
  const root = await debianRoot(at, [...CC, ...PYTHON]);
  const site = join(root, 'srv/site');
  const binary = [
    '--only-binary=:all:',
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--platform',
    'manylinux2014_x86_64',
  ];
  await must([
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...binary,
    '--target',
    site,
    'fastapi',
    'uvicorn',
  ]);
  writeFileSync(join(root, 'srv/app.py'), APP);
  writeFileSync(join(root, 'srv/main.py'), MAIN);
  await pushRoot(at, root, base, [
    ...['--config.env', 'PYTHONPATH=/srv/site:/srv', '--config.env', 'PORT=8000', '--config.env', 'HOST=0.0.0.0'],
    ...['--config.entrypoint', '/usr/bin/python3.11', '--config.cmd', '/srv/main.py'],
    ...['--config.user', '65532:65532', '--config.exposedports', '8000/tcp'],
  ]);
  const folder = project(
    'linear',
    `name: linear\nversion: "1"\nimage: ${registry.host}/ml/linear\nbase: ${base}\nmodel: {path: saved/, format: opaque, target: /models/linear/1}\ntask: regression\ninputs: [{name: data, datatype: FP64, shape: [-1, 2]}]\nmetrics: metrics.json\n`,
  );
  mkdirSync(join(folder, 'saved'));
  writeFileSync(join(folder, 'saved/weights.json'), '[2, 3]');
  writeFileSync(join(folder, 'metrics.json'), '{"r2": 0.9}');
  const built = await build(folder);
  expect(built.platforms[0]?.layers.map(({ kind }) => kind)).toEqual(['base', 'model']);
  expect(built.push.mounted).toEqual([built.platforms[0]?.layers[0]?.digest as string]);
  const image = `${registry.host}/ml/linear:1`;
  await must([await crane(), 'validate', '--insecure', '--fast', '--remote', image]);
  const inspected = JSON.parse(await must([INLAY, 'inspect', image, '--json'], { env }));
  expect(inspected.contract).toMatchObject({
    format: 'opaque',
    task: 'regression',
    model: { path: '/models/linear/1' },
  });
  expect(Object.keys(inspected.libraries)).toEqual(expect.arrayContaining(['fastapi', 'uvicorn', 'pydantic', 'libc6']));

  const { url, child } = await startImage([image, '--engine', 'runc', '--port', '0'], env);
  try {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({
      data: [
        [1, 1],
        [10, 0],
      ],
    });
    const answer = await fetch(`${url}/predict`, { method: 'POST', headers, body });
    expect(await answer.json()).toEqual({ prediction: [5, 20] });
  } finally {
    child.kill('SIGTERM');
    await child.exited;
  }

  // Trained again: the model's own layer alone, and diff tells it of both by their names in the registry.
  writeFileSync(join(folder, 'saved/weights.json'), '[4, 3]');
  writeFileSync(join(folder, 'inlay.yaml'), readFileSync(join(folder, 'inlay.yaml'), 'utf8').replace('"1"', '"2"'));
  const second = await build(folder);
  expect(second.platforms[0]?.layers[0]?.digest).toBe(built.platforms[0]?.layers[0]?.digest as string);
  const diff = JSON.parse(await must([INLAY, 'diff', image, `${registry.host}/ml/linear:2`, '--json'], { env }));
  expect(diff.verdict).toBe('compatible');
  expect(diff.layers.shared.length).toBe(1);
}, 600_000);
