import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import { whileLocked } from '../oci/file-lock.ts';

export const pinSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  architecture: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const lockSchema = z.strictObject({
  schemaVersion: z.literal(1),
  base: z
    .strictObject({
      kind: z.literal('apt'),
      platforms: z.record(z.string(), z.array(pinSchema).min(1)),
    })
    .optional(),
  /** Images that `base:` or `--base` names, by that name. */
  baseImages: z.record(z.string(), digest).optional(),
  serverImage: z.strictObject({ reference: z.string(), digest }).optional(),
});

/** One package of the base, exactly. */
export type Pin = z.infer<typeof pinSchema>;
/** inlay.lock: what a build takes from outside, pinned. */
export type Lock = z.infer<typeof lockSchema>;

const HEADER = '# What inlay build takes from outside, pinned. Commit this file; inlay lock writes it anew.\n';

/** The lock, or undefined where there is none yet. @throws LOCK_INVALID */
export async function readLock(path: string): Promise<Lock | undefined> {
  if (!existsSync(path)) return undefined;
  const name = basename(path);
  const lines = new LineCounter();
  const document = parseDocument(await readFile(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const hint = 'Take it from version control again, or run inlay lock to pin anew.';
  const [broken] = document.errors;
  if (broken)
    throw new InlayError('LOCK_INVALID', `${name}:${lines.linePos(broken.pos[0]).line}: ${broken.message}`, { hint });
  const parsed = lockSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const node = document.getIn(issue?.path ?? [], true) as { range?: [number, number, number] } | undefined;
  const line = node?.range ? lines.linePos(node.range[0]).line : 1;
  throw new InlayError('LOCK_INVALID', `${name}:${line}: ${issue?.path.join('.')}: ${issue?.message}`, {
    hint,
    cause: parsed.error,
  });
}

/** The lock with one platform's packages pinned, in a fixed order; other platforms stay as they are. */
export function withPins(lock: Lock | undefined, platform: string, pins: readonly Pin[]): Lock {
  const platforms = { ...lock?.base?.platforms, [platform]: pins.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
  const ordered = Object.fromEntries(Object.entries(platforms).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...lock, schemaVersion: 1, base: { kind: 'apt', platforms: ordered } };
}

/** Pins one platform's packages; what else is pinned stays. @throws LOCK_INVALID, STORE_BUSY */
export function pinPackages(path: string, platform: string, pins: readonly Pin[]): Promise<void> {
  return changeLock(path, (lock) => withPins(lock, platform, pins));
}

export async function writeLock(path: string, lock: Lock): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, HEADER + stringify(lock, { lineWidth: 0 }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Builds for several platforms may pin at once: whoever changes the lock holds its folder. */
function changeLock(path: string, change: (lock: Lock | undefined) => Lock): Promise<void> {
  return whileLocked(dirname(path), async () => writeLock(path, change(await readLock(path))));
}

/** The digest that the lock pins for a base image of that name. @throws LOCK_INVALID */
export async function pinnedBaseImage(path: string, reference: string): Promise<string | undefined> {
  return (await readLock(path))?.baseImages?.[reference];
}

/** Pins a base image; what else is pinned stays. @throws LOCK_INVALID, STORE_BUSY */
export function pinBaseImage(path: string, reference: string, digest: string): Promise<void> {
  return changeLock(path, (lock) => {
    const all = Object.entries({ ...lock?.baseImages, [reference]: digest }).sort(([a], [b]) => (a < b ? -1 : 1));
    return { schemaVersion: 1, ...lock, baseImages: Object.fromEntries(all) };
  });
}

/** The digest that the lock pins for a server image of that name. @throws LOCK_INVALID */
export async function pinnedServerImage(path: string, reference: string): Promise<string | undefined> {
  const pin = (await readLock(path))?.serverImage;
  return pin?.reference === reference ? pin.digest : undefined;
}

/** Pins a server image; what else is pinned stays. @throws LOCK_INVALID, STORE_BUSY */
export function pinServerImage(path: string, reference: string, digest: string): Promise<void> {
  return changeLock(path, (lock) => ({ schemaVersion: 1, ...lock, serverImage: { reference, digest } }));
}
