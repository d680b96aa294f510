import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { Fetched, FetchedFile } from '../source/index.ts';
import { formatBytes } from './output.ts';
import { type RegistryFlags, withRegistry } from './registry.ts';

export interface FetchedSource {
  readonly fetched: Omit<Fetched, 'schemaVersion'>;
  /** It was there already, whole. */
  readonly kept: boolean;
}

interface Found {
  readonly identity: Readonly<Record<string, string>>;
  readonly download: (into: string, signal: AbortSignal) => Promise<readonly FetchedFile[]>;
}

/**
 * Fetches the model that `source:` names into the folder of `model:`. What it names is asked anew each time (an alias and a tag move);
 * files that are there are not fetched again.
 * @throws SOURCE_INVALID, SOURCE_NOT_FOUND, SOURCE_UNREACHABLE, SOURCE_UNAUTHORIZED, SOURCE_FAILED, and those of a registry
 */
export async function fetchSource(
  dir: string,
  config: Config,
  flags: RegistryFlags,
): Promise<FetchedSource | undefined> {
  const { modelPathOf } = await import('../contract/index.ts');
  const { isWhole, placeFetched, readFetched, safeName } = await import('../source/index.ts');
  const { source: uri } = config;
  if (uri === undefined) return undefined;
  const model = join(dir, modelPathOf(config));
  const folder = dirname(model);
  return withFound(uri, flags, async ({ identity, download }, signal) => {
    const before = await readFetched(folder);
    if (before?.uri === uri && sameIdentity(before.identity, identity) && (await isWhole(folder, before)))
      return { fetched: before, kept: true };
    await mkdir(folder, { recursive: true });
    const temporary = await mkdtemp(join(folder, '.inlay-fetch-'));
    try {
      const files = await download(temporary, signal);
      for (const { name } of files) safeName(name);
      const fetched = { uri, identity: { ...identity }, files: [...files] };
      await placeFetched(temporary, folder, fetched);
      if (!existsSync(model))
        throw new InlayError(
          'SOURCE_INVALID',
          `${uri} has ${files.map(({ name }) => name).join(', ')}, and no ${modelPathOf(config).split('/').at(-1)}`,
          {
            hint: 'model: of inlay.yaml names the file of it that is the model, in the folder it is fetched to.',
          },
        );
      return { fetched, kept: false };
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
}

/** What a source names now, without its files. */
async function withFound<T>(
  uri: string,
  flags: RegistryFlags,
  work: (found: Found, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { downloadMlflow, findMlflow, parseSourceUri, safeName, TrackingServer } = await import('../source/index.ts');
  const parsed = parseSourceUri(uri);
  return withRegistry(flags, async (registry, signal) => {
    if (parsed.kind === 'oci') {
      const { openArtifact, parseReference } = await import('../registry/index.ts');
      const artifact = await openArtifact({ registry, from: parseReference(parsed.reference), signal });
      const download = async (into: string) => {
        for (const file of artifact.files) await artifact.download(file, into, safeName(file.name));
        return artifact.files;
      };
      return work({ identity: { reference: parsed.reference, digest: artifact.digest }, download }, signal);
    }
    const caPath = process.env.MLFLOW_TRACKING_SERVER_CERT_PATH || flags.caFile;
    const ca = caPath ? await readFile(caPath, 'utf8') : undefined;
    const server = new TrackingServer({ env: process.env, signal, ca });
    const found = await findMlflow(server, parsed);
    return work({ identity: found.identity, download: (into) => downloadMlflow(server, found, into) }, signal);
  });
}

function sameIdentity(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => a[key] === b[key]);
}

/** `models:/iris@champion: model iris, version 3, run 4ab1…; 5 files, 3.1 MB` */
export function describeFetched({ fetched: { uri, identity, files } }: FetchedSource): string {
  const who = Object.entries(identity)
    .filter(([key]) => key !== 'reference' && key !== 'server')
    .map(([key, value]) => `${key} ${value}`);
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${uri}: ${who.join(', ')}; ${files.length} ${files.length === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}`;
}
