import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { normalName, type Requirement } from './requirements.ts';

/** Installed sizes of packages for linux/amd64, MB, as pip unpacked them (the sum of RECORD); where none is installed here. */
const KNOWN_MB: Readonly<Record<string, number>> = {
  joblib: 1,
  numpy: 57,
  onnx: 23,
  'scikit-learn': 34,
  scipy: 114,
  skl2onnx: 1,
};

/**
 * What a Python server would carry and the image does not: the packages that training needs. Sizes are those of the
 * project's virtual environment, or of a uv.lock's wheels, or known ones.
 * @param envs folders of virtual environments @returns one line for people; undefined when nothing is required
 */
export async function leftOut(
  requirements: readonly Requirement[],
  envs: readonly string[],
): Promise<string | undefined> {
  if (requirements.length === 0) return undefined;
  const installed = await installedMb(envs);
  let megabytes = 0;
  let measured = 0;
  for (const { name, wheelBytes } of requirements) {
    const size = installed.get(name) ?? (wheelBytes === undefined ? undefined : wheelBytes / 1e6) ?? KNOWN_MB[name];
    if (size === undefined) continue;
    megabytes += size;
    measured++;
  }
  const names = requirements.map(({ name }) => name);
  const shown = names.length > 6 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
  const saved = measured === 0 ? '' : `: ${measured < names.length ? 'at least ' : ''}${megabytes.toFixed(0)} MB saved`;
  return `left out of the image, for training only: ${shown}${saved}`;
}

/** By package, the sum of the sizes in each RECORD (PyPA specification, recording installed projects). */
async function installedMb(envs: readonly string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const env of envs) {
    const lib = join(env, 'lib');
    for (const python of existsSync(lib) ? await readdir(lib) : []) {
      const site = join(lib, python, 'site-packages');
      for (const entry of existsSync(site) ? await readdir(site) : []) {
        const name = /^(.+)-[^-]+\.dist-info$/.exec(entry)?.[1];
        if (name === undefined) continue;
        const record = await readFile(join(site, entry, 'RECORD'), 'utf8').catch(() => '');
        const bytes = record.split('\n').reduce((sum, line) => sum + Number(/,(\d+)\r?$/.exec(line)?.[1] ?? 0), 0);
        sizes.set(normalName(name), bytes / 1e6);
      }
    }
  }
  return sizes;
}
