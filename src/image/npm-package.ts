import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export const npmPackageSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    /** An SPDX expression, where it gives one. */
    licence: z.string().exactOptional(),
  })
  .readonly();

/** A package of npm's registry, as its package.json says. */
export type NpmPackage = z.infer<typeof npmPackageSchema>;

/** Old packages have an object for a licence, and one of a person's own may have no version: an SBOM names them all the same. */
const schema = z.object({
  name: z.string().optional().catch(undefined),
  version: z.string().catch('0.0.0'),
  license: z
    .union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)])
    .optional()
    .catch(undefined),
});

/**
 * The npm packages that files come from, by name.
 * @param files absolute paths; those outside of any node_modules are no package's
 */
export async function bundledPackages(files: readonly string[]): Promise<NpmPackage[]> {
  // The last node_modules of the path: packages may bring packages.
  const dirs = new Set(files.flatMap((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const found = new Map<string, NpmPackage>();
  for (const dir of dirs) {
    const text = await readFile(join(dir, 'package.json'), 'utf8').catch(() => '{}');
    const { name = dir.replace(/^.*\/node_modules\//, ''), version, license } = schema.parse(JSON.parse(text));
    found.set(`${name}@${version}`, { name, version, ...(license === undefined ? {} : { licence: license }) });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
