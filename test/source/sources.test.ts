import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInlayError } from '../../src/error/index.ts';
import {
  downloadMlflow,
  findMlflow,
  isWhole,
  originOfFile,
  parseSourceUri,
  placeFetched,
  safeName,
  TrackingServer,
} from '../../src/source/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-source-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const codeOf = async (work: () => unknown) => {
  try {
    await work();
  } catch (error) {
    if (isInlayError(error)) return error.code;
    throw error;
  }
};

test('URIs of runs, registered models and artifacts', async () => {
  expect(parseSourceUri('runs:/4ab1/model/onnx')).toEqual({ kind: 'run', runId: '4ab1', path: 'model/onnx' });
  expect(parseSourceUri('models:/iris/3')).toEqual({ kind: 'model', name: 'iris', version: '3' });
  expect(parseSourceUri('models:/iris/latest')).toEqual({ kind: 'model', name: 'iris', version: 'latest' });
  expect(parseSourceUri('models:/iris@champion')).toEqual({ kind: 'alias', name: 'iris', alias: 'champion' });
  expect(parseSourceUri('oci://ghcr.io/ml/iris:3')).toEqual({ kind: 'oci', reference: 'ghcr.io/ml/iris:3' });
  for (const wrong of ['models:/iris', 'models:/iris/Production', 'runs:/4ab1', 's3://bucket/x', '', 'models:/@x'])
    expect([wrong, await codeOf(() => parseSourceUri(wrong))]).toEqual([wrong, 'SOURCE_INVALID']);
});

test('names of files that lead out of the folder are refused', async () => {
  for (const wrong of ['../x', '/etc/passwd', 'a/../../x', '', '.', '..', '.inlay-source.json'])
    expect([wrong, await codeOf(() => safeName(wrong))]).toEqual([wrong, 'SOURCE_INVALID']);
  expect(safeName('a/./b.onnx')).toBe('a/b.onnx');
});

test('a fetch takes the place of the one before, and leaves files of others', async () => {
  const folder = join(dir, 'model');
  const put = async (names: readonly string[]) => {
    const from = mkdtempSync(join(dir, 'from-'));
    for (const name of names) writeFileSync(join(from, name), name);
    const digestOf = (name: string) => `sha256:${new Bun.CryptoHasher('sha256').update(name).digest('hex')}`;
    const files = names.map((name) => ({ name, digest: digestOf(name), sizeBytes: name.length }));
    await placeFetched(from, folder, { uri: 'models:/iris/1', identity: { run: 'r' }, files });
    return files;
  };
  mkdirSync(folder);
  writeFileSync(join(folder, 'label.json'), '[]');
  await put(['model.onnx', 'old.data']);
  const [model] = await put(['model.onnx']);
  expect([existsSync(join(folder, 'old.data')), existsSync(join(folder, 'label.json'))]).toEqual([false, true]);
  const origin = await originOfFile(folder, 'model.onnx', model?.digest ?? '');
  expect(origin?.identity).toEqual({ run: 'r' });
  if (!origin) throw new Error('no origin');
  expect(await isWhole(folder, origin)).toBe(true);
  writeFileSync(join(folder, 'model.onnx'), 'edited');
  expect(await isWhole(folder, origin)).toBe(false);
  expect(await originOfFile(folder, 'model.onnx', 'sha256:other')).toBeUndefined();
});

/** A server that answers as MLflow's artifact service does, with faults that a real one cannot be asked for. */
async function withServer<T>(
  answer: (url: URL, request: Request) => Response,
  work: (server: TrackingServer) => Promise<T>,
): Promise<T> {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => answer(new URL(request.url), request),
  });
  try {
    return await work(
      new TrackingServer({ env: { MLFLOW_TRACKING_URI: `http://u:secret@127.0.0.1:${server.port}/` } }),
    );
  } finally {
    await server.stop(true);
  }
}

test('a file of another size than it is listed with is refused', async () => {
  const code = await withServer(
    (url) =>
      url.searchParams.has('path')
        ? Response.json({ files: [{ path: 'model.onnx', is_dir: false, file_size: 10 }] })
        : new Response('short'),
    (server) => codeOf(() => downloadMlflow(server, { root: 'a', identity: {} }, dir)),
  );
  expect(code).toBe('SOURCE_FAILED');
});

test('a server that is busy once is asked again, with the login that its address has', async () => {
  let asked = 0;
  const logins = new Set<string | null>();
  await withServer(
    (url, request) => {
      logins.add(request.headers.get('authorization'));
      if (++asked === 1) return new Response('busy', { status: 503 });
      return url.searchParams.has('path')
        ? Response.json({ files: [{ path: 'model.onnx', is_dir: false, file_size: 5 }] })
        : new Response('model');
    },
    (server) => {
      expect(server.url).not.toContain('secret');
      return downloadMlflow(server, { root: 'a', identity: {} }, dir);
    },
  );
  expect(readFileSync(join(dir, 'model.onnx'), 'utf8')).toBe('model');
  expect([...logins]).toEqual([`Basic ${btoa('u:secret')}`]);
});

test('what is no MLflow server, and files that the server does not serve, are told apart', async () => {
  const uri = { kind: 'run', runId: 'r', path: 'model' } as const;
  expect(
    await withServer(
      () => new Response('<html>'),
      (server) => codeOf(() => findMlflow(server, uri)),
    ),
  ).toBe('SOURCE_FAILED');
  const elsewhere = () => Response.json({ run: { info: { run_id: 'r', artifact_uri: 's3://bucket/r' } } });
  expect(await withServer(elsewhere, (server) => codeOf(() => findMlflow(server, uri)))).toBe('SOURCE_INVALID');
  expect(await codeOf(() => new TrackingServer({ env: {} }))).toBe('SOURCE_INVALID');
});
