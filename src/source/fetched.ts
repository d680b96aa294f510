import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { z } from 'zod';
import { InlayError } from '../error/index.ts';

/** A file of a fetched model; its name is relative to the model's folder. */
export interface FetchedFile {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Where the files of a model's folder were fetched from. */
const fetchedSchema = z.object({
  schemaVersion: z.literal(1),
  /** As inlay.yaml has it. */
  uri: z.string(),
  /** What it was then: run, registered model and version, or an artifact's digest. */
  identity: z.record(z.string(), z.string()),
  files: z.array(z.object({ name: z.string(), digest: z.string(), sizeBytes: z.number() })),
});
export type Fetched = z.infer<typeof fetchedSchema>;

/** Lies beside the model. */
export const FETCHED_FILE = '.inlay-source.json';

/** The record of a model's folder; undefined where there is none that can be read. */
export async function readFetched(folder: string): Promise<Fetched | undefined> {
  try {
    return fetchedSchema.safeParse(JSON.parse(await readFile(join(folder, FETCHED_FILE), 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Where a model file came from: what its folder's record says, if the file is still the one that was fetched. @param file relative to the folder */
export async function originOfFile(folder: string, file: string, digest: string): Promise<Fetched | undefined> {
  const fetched = await readFetched(folder);
  return fetched?.files.some((one) => one.name === file && one.digest === digest) ? fetched : undefined;
}

/** Whether every file is there as it was fetched. */
export async function isWhole(folder: string, { files }: Fetched): Promise<boolean> {
  for (const { name, digest } of files) {
    const path = join(folder, name);
    if (!existsSync(path) || (await digestOf(path)) !== digest) return false;
  }
  return true;
}

/** A name in the model's folder that leads nowhere else. @throws SOURCE_INVALID */
export function safeName(name: string): string {
  const normal = normalize(name);
  if (
    name !== '' &&
    !isAbsolute(normal) &&
    normal !== '.' &&
    normal !== '..' &&
    !normal.startsWith(`..${sep}`) &&
    normal !== FETCHED_FILE
  )
    return normal;
  throw new InlayError(
    'SOURCE_INVALID',
    `the source has a file ${JSON.stringify(name)}, which would not lie in the model’s folder`,
  );
}

/**
 * Puts files that were fetched whole into a model's folder: each is renamed to its place, what an earlier fetch left and this one has
 * not goes, and files of others stay. The record is written last.
 * @param from where they lie, on the same disk
 */
export async function placeFetched(
  from: string,
  folder: string,
  fetched: Omit<Fetched, 'schemaVersion'>,
): Promise<void> {
  const before = await readFetched(folder);
  await rm(join(folder, FETCHED_FILE), { force: true });
  for (const { name } of fetched.files) {
    const path = join(folder, safeName(name));
    await mkdir(dirname(path), { recursive: true });
    await rename(join(from, name), path);
  }
  const now = new Set(fetched.files.map(({ name }) => name));
  for (const { name } of before?.files ?? [])
    if (!now.has(name)) await rm(join(folder, safeName(name)), { force: true });
  const temporary = join(folder, `${FETCHED_FILE}.${randomUUID()}`);
  await writeFile(temporary, `${JSON.stringify({ schemaVersion: 1, ...fetched }, null, 2)}\n`);
  await rename(temporary, join(folder, FETCHED_FILE));
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
