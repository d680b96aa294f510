import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { PACKAGE } from './bundle.ts';
import { stampOf } from './file-stamp.ts';
import type { TarEntry } from './layer/tar.ts';
import { type NpmPackage, npmPackageSchema } from './npm-package.ts';
import { FROM_SOURCES } from './packed.ts';
import { bundleServer } from './server-layer.ts';

/** The server, bundled only when its entries are asked for. */
export interface PreparedServer {
  /** Changes when, and only when, a byte of the server does. */
  readonly key: string;
  /** The npm packages that are bundled, by name. */
  readonly packages: readonly NpmPackage[];
  readonly entries: () => Promise<readonly TarEntry[]>;
}

const noteSchema = z.object({
  schemaVersion: z.literal(1),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  packages: z.array(npmPackageSchema),
});

/** The rooms that the bundle is made of, and the files that make it. */
const FILES = 'src/{server,engine,transform,contract,error,web}/**/*';
const MAKERS = 'src/image/{bundle,compiled-program,server-layer,chunk-names,npm-package}.ts';

/** npm's note of what it installed: beside inlay, or below it in a clone. */
const INSTALLED = ['node_modules/.package-lock.json', '../.package-lock.json'];

/**
 * The server's key and packages, without bundling where none of its sources has changed since it was last bundled.
 * @param cacheDir where the notes lie
 */
export async function prepareServer(cacheDir: string): Promise<PreparedServer> {
  if (!FROM_SOURCES) {
    const packed = await bundleServer();
    return { ...packed, entries: async () => packed.entries };
  }
  const note = join(cacheDir, 'server', `${await sourcesKey()}.json`);
  const known = await readNote(note);
  if (known) return { ...known, entries: async () => (await bundleServer()).entries };
  const { key, packages, entries } = await bundleServer();
  await mkdir(dirname(note), { recursive: true });
  const temporary = `${note}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify({ schemaVersion: 1, key, packages }));
  await rename(temporary, note);
  return { key, packages, entries: async () => entries };
}

/** A note that cannot be read is none. */
async function readNote(path: string): Promise<Pick<PreparedServer, 'key' | 'packages'> | undefined> {
  try {
    const { key, packages } = noteSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return { key, packages };
  } catch {
    return undefined;
  }
}

async function sourcesKey(): Promise<string> {
  const found = await Promise.all(
    [FILES, MAKERS].map((pattern) => Array.fromAsync(new Bun.Glob(pattern).scan({ cwd: PACKAGE }))),
  );
  const stamps = await Promise.all(
    [...found.flat().sort(), ...INSTALLED].map(async (file) => {
      const stamp = await stampOf(join(PACKAGE, file)).catch(() => undefined);
      return `${file} ${stamp?.key}`;
    }),
  );
  return createHash('sha256')
    .update([PACKAGE, Bun.version, ...stamps].join('\n'))
    .digest('hex');
}
