import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** A package of npm's registry, as its package.json says. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, where it gives one. */
  readonly licence?: string;
}

const schema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

/**
 * The npm packages that files come from, by name.
 * @param files absolute paths; those outside of any node_modules are no package's
 */
export async function bundledPackages(files: readonly string[]): Promise<NpmPackage[]> {
  // The last node_modules of the path: packages may bring packages.
  const dirs = new Set(files.flatMap((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const found = new Map<string, NpmPackage>();
  for (const dir of dirs) {
    const { name, version, license } = schema.parse(JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')));
    found.set(`${name}@${version}`, { name, version, ...(license === undefined ? {} : { licence: license }) });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
