import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { z } from 'zod';
import { InlayError, isInlayError } from '../error/index.ts';
import type { FetchedFile } from './fetched.ts';
import type { SourceUri } from './source-uri.ts';
import type { TrackingServer } from './tracking-server.ts';

/** A model of an MLflow server, found, and not fetched yet. */
export interface MlflowSource {
  /** Where its files lie: a path of the server's artifact service. */
  readonly root: string;
  /** What it is known by: run, and of a registered model its name and version. */
  readonly identity: Readonly<Record<string, string>>;
}

const versionSchema = z.object({
  model_version: z.object({
    name: z.string(),
    version: z.union([z.string(), z.number()]).transform(String),
    run_id: z.string().nullish(),
    model_id: z.string().nullish(),
  }),
});
const searchSchema = z.object({ model_versions: z.array(versionSchema.shape.model_version).default([]) });
const uriSchema = z.object({ artifact_uri: z.string() });
const runSchema = z.object({
  run: z.object({
    info: z.object({ run_id: z.string(), artifact_uri: z.string() }),
    outputs: z.object({ model_outputs: z.array(z.object({ model_id: z.string() })).default([]) }).nullish(),
  }),
});
const loggedSchema = z.object({
  model: z.object({ info: z.object({ name: z.string().nullish(), artifact_uri: z.string() }) }),
});
const listSchema = z.object({
  files: z
    .array(z.object({ path: z.string(), is_dir: z.boolean().default(false), file_size: z.coerce.number().optional() }))
    .default([]),
});

/** Asks an MLflow server where a run's or a registered model's files are. @throws those of TrackingServer; SOURCE_INVALID */
export async function findMlflow(
  server: TrackingServer,
  uri: Exclude<SourceUri, { kind: 'oci' }>,
): Promise<MlflowSource> {
  if (uri.kind === 'run') return findRun(server, uri.runId, uri.path);
  const { model_version: found } = await versionOf(server, uri);
  const { name, version } = found;
  const what = `model ${name}, version ${version}`;
  const { artifact_uri } = await server.get(
    'mlflow/model-versions/get-download-uri',
    { name, version },
    uriSchema,
    what,
  );
  return {
    root: served(artifact_uri, what),
    identity: {
      server: server.url,
      model: name,
      version,
      ...(uri.kind === 'alias' ? { alias: uri.alias } : {}),
      ...(found.run_id ? { run: found.run_id } : {}),
    },
  };
}

async function versionOf(server: TrackingServer, uri: Extract<SourceUri, { kind: 'model' | 'alias' }>) {
  const { name } = uri;
  if (uri.kind === 'alias')
    return server.get(
      'mlflow/registered-models/alias',
      { name, alias: uri.alias },
      versionSchema,
      `model ${name}@${uri.alias}`,
    );
  const { version } = uri;
  if (version !== 'latest')
    return server.get(
      'mlflow/model-versions/get',
      { name, version },
      versionSchema,
      `model ${name}, version ${version}`,
    );
  // The filter is a language of its own: a quote would end the name.
  if (/['"]/.test(name))
    throw new InlayError('SOURCE_INVALID', `model ${name}: a name with a quote cannot be searched for`);
  const query = { filter: `name='${name}'`, order_by: 'version_number DESC', max_results: '1' };
  const { model_versions } = await server.get('mlflow/model-versions/search', query, searchSchema, `model ${name}`);
  const [latest] = model_versions;
  if (latest) return { model_version: latest };
  throw new InlayError('SOURCE_NOT_FOUND', `model ${name}: ${server.url} has no version of it`);
}

/** Since MLflow 3 a model that a run logged lies beside the run, as a model of its own; before, among the run's artifacts. */
async function findRun(server: TrackingServer, runId: string, path: string): Promise<MlflowSource> {
  const what = `run ${runId}`;
  const { run } = await server.get('mlflow/runs/get', { run_id: runId }, runSchema, what);
  const identity = { server: server.url, run: run.info.run_id, path };
  const root = served(run.info.artifact_uri, what);
  const own = posix.join(root, path);
  if ((await listFolder(server, own, what)).length > 0) return { root: own, identity };
  for (const { model_id } of run.outputs?.model_outputs ?? []) {
    const { model } = await server.get(`mlflow/logged-models/${encodeURIComponent(model_id)}`, {}, loggedSchema, what);
    if (model.info.name === path) return { root: served(model.info.artifact_uri, what), identity };
  }
  throw new InlayError('SOURCE_NOT_FOUND', `run ${runId} of ${server.url} has no artifact ${path}`, {
    hint: 'The path is the name that log_model was given.',
  });
}

/** The path of what the tracking server itself serves. @throws SOURCE_INVALID for what lies elsewhere */
function served(artifactUri: string, what: string): string {
  const [, path] = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/.exec(artifactUri) ?? [];
  if (path !== undefined) return path;
  throw new InlayError(
    'SOURCE_INVALID',
    `${what}: its files lie at ${artifactUri.replace(/^(\w+):.*$/, '$1://…')}, and the server does not serve them`,
    {
      hint: 'Start the MLflow server with --serve-artifacts, or fetch the folder with mlflow artifacts download and name the file in model:.',
    },
  );
}

const ARTIFACTS = 'mlflow-artifacts/artifacts';
const MOST_FILES = 1000;

async function listFolder(server: TrackingServer, path: string, what: string) {
  try {
    return (await server.get(ARTIFACTS, { path }, listSchema, what)).files;
  } catch (error) {
    // Stores differ in what they say of a folder that is not there.
    if (isInlayError(error) && (error.code === 'SOURCE_NOT_FOUND' || error.code === 'SOURCE_FAILED')) return [];
    throw error;
  }
}

/** Downloads all files of a model into a folder that is empty, each checked by its size. @throws SOURCE_FAILED too, for another size */
export async function downloadMlflow(
  server: TrackingServer,
  { root }: MlflowSource,
  into: string,
  onFile: (file: FetchedFile) => void = () => {},
): Promise<FetchedFile[]> {
  const files: FetchedFile[] = [];
  const folders = [''];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const what = `artifacts ${posix.join(root, folder)}`;
    for (const entry of (await server.get(ARTIFACTS, { path: posix.join(root, folder) }, listSchema, what)).files) {
      const name = posix.join(folder, posix.basename(entry.path));
      if (entry.is_dir) folders.push(name);
      else {
        const file = await download(server, root, name, entry.file_size, into);
        onFile(file);
        files.push(file);
      }
      if (files.length + folders.length > MOST_FILES)
        throw new InlayError('SOURCE_INVALID', `${root} has more than ${MOST_FILES} files: it is no model’s folder`);
    }
  }
  return files;
}

async function download(
  server: TrackingServer,
  root: string,
  name: string,
  expected: number | undefined,
  into: string,
): Promise<FetchedFile> {
  const path = join(into, name);
  await mkdir(dirname(path), { recursive: true });
  const target = posix.join(root, name).split('/').map(encodeURIComponent).join('/');
  const response = await server.request(`/api/2.0/${ARTIFACTS}/${target}`, `artifact ${name}`);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of response.body ?? []) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      await file.writeFile(chunk);
    }
  } catch (cause) {
    throw new InlayError(
      'SOURCE_FAILED',
      `artifact ${name}: the connection to ${server.url} dropped after ${sizeBytes} bytes`,
      { cause },
    );
  } finally {
    await file.close();
  }
  if (expected !== undefined && expected !== sizeBytes)
    throw new InlayError(
      'SOURCE_FAILED',
      `artifact ${name} has ${sizeBytes} bytes, and ${server.url} lists it with ${expected}`,
      {
        hint: 'Run it again; it was cut off, or somebody is writing it.',
      },
    );
  return { name, digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}
