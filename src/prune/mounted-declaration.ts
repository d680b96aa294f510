import { basename, dirname } from 'node:path';
import { stringify } from 'yaml';
import { readLock } from '../image/index.ts';
import type { Declaration } from './declaration.ts';

/** Where a ConfigMap with `mountedDeclaration` is mounted. */
export const DECLARATION_DIR = '/etc/inlay';
/** The file of it for --config. */
export const DECLARATION_FILE = `${DECLARATION_DIR}/prune.yaml`;

/**
 * What files declare, as the files of a ConfigMap: `prune.yaml`, and of each lock what it pins.
 * @throws LOCK_INVALID
 */
export async function mountedDeclaration({ targets, locks }: Declaration): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const [i, path] of [...new Set(locks)].entries()) {
    const lock = await readLock(path);
    if (!lock?.baseImages && !lock?.serverImage) continue;
    const { schemaVersion, baseImages, serverImage } = lock;
    // A file's folder is what people know it by; a ConfigMap's keys are plain.
    const name = `${i + 1}-${basename(dirname(path)).replaceAll(/[^\w.-]/g, '-')}.lock`;
    files[name] = stringify({ schemaVersion, baseImages, serverImage });
  }
  const repositories = targets.map(({ repository, policy: { keepLast, graceMs, keepTags }, clusters }) => [
    repository,
    { ...(clusters === undefined ? {} : { clusters }), keepLast, grace: `${graceMs / 1000}s`, keepTags },
  ]);
  const declared = { locks: Object.keys(files), repositories: Object.fromEntries(repositories) };
  return { 'prune.yaml': stringify(declared), ...files };
}
