import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { InlayError } from '../error/index.ts';
import type { OnProgress, Registry, RegistryOptions } from '../registry/index.ts';
import { formatBytes, type Output } from './output.ts';
import { transferBar } from './transfer-bar.ts';
import { INLAY_VERSION } from './version.ts';

/** The options of every command that reaches a registry. */
export interface RegistryFlags {
  readonly insecureRegistry: string[];
  readonly caFile?: string | undefined;
}

/** Repeatable, not variadic: `--tag A IMAGE` must not swallow the image. */
const collect = (value: string, before: string[]): string[] => [...before, value];

export const INSECURE_REGISTRY = [
  '--insecure-registry <host>',
  'speak plain HTTP to this host; repeatable, loopback needs no mention',
  collect,
  [] as string[],
] as const;
export const TAG = ['--tag <tag>', 'a further tag; repeatable', collect, [] as string[]] as const;
export const CA_FILE = ['--ca-file <file>', 'trust these certificates too (PEM)'] as const;

/** Opens the way to registries, does the work, and closes it; Ctrl-C stops the work. */
export async function withRegistry<T>(
  flags: RegistryFlags,
  work: (registry: Registry, signal: AbortSignal) => Promise<T>,
  more: Partial<RegistryOptions> = {},
): Promise<T> {
  const { Registry } = await import('../registry/index.ts');
  const ca = flags.caFile === undefined ? undefined : await readCa(flags.caFile);
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  await using registry = new Registry({
    env: process.env,
    homeDir: homedir(),
    insecureRegistries: flags.insecureRegistry,
    userAgent: `inlay/${INLAY_VERSION}`,
    ...(ca === undefined ? {} : { ca }),
    ...more,
  });
  try {
    return await work(registry, abort.signal);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

/** How often a status is drawn, and a line written where there is none, milliseconds. */
const DRAWN_MS = 100;
const TOLD_MS = 2000;

/** Shows a transfer: a line when a blob is done, and meanwhile how far all are: as a bar, or in a pipe a line every two seconds. */
export function showTransfer(output: Output, sent: string): OnProgress {
  const started = performance.now();
  let shownAt = started;
  const everyMs = output.status ? DRAWN_MS : TOLD_MS;
  return ({ doneBytes, totalBytes, finished }) => {
    const now = performance.now();
    if (finished)
      output.progress(
        `${HOW[finished.how] ?? sent}  ${finished.digest.slice(0, 19)}  ${formatBytes(finished.sizeBytes)}`,
      );
    if (doneBytes >= totalBytes || now - shownAt < everyMs) return;
    shownAt = now;
    if (output.status) output.status(transferBar(sent, doneBytes, totalBytes, now - started));
    else if (!finished) output.progress(`${sent}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  };
}

const HOW: Readonly<Record<string, string>> = { mounted: 'mounted', there: 'there   ' };

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new InlayError('FILE_UNREADABLE', `--ca-file ${path} cannot be read`, { cause, hint: 'Name a PEM file.' });
  }
}
