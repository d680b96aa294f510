import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InlayError } from '../../error/index.ts';
import { CONFIG_FILE } from './file.ts';
import { parseConfig } from './load.ts';
import type { Config } from './schema.ts';

/**
 * Reads inlay.yaml alone, without what it names.
 * @param path the file, or the project's folder
 * @throws PROJECT_NOT_FOUND, CONFIG_INVALID
 */
export async function readConfig(path: string): Promise<Config> {
  const folder = existsSync(path) && statSync(path).isDirectory();
  const file = folder ? join(path, CONFIG_FILE) : path;
  if (existsSync(file)) return parseConfig(await readFile(file, 'utf8'), folder ? CONFIG_FILE : path);
  throw new InlayError(
    'PROJECT_NOT_FOUND',
    folder ? `no ${CONFIG_FILE} in ${resolve(path)}` : `there is no ${resolve(path)}`,
    {
      hint: `inlay init writes one for a model; or name the project's folder.`,
    },
  );
}
