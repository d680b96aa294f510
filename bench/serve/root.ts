import { join } from 'node:path';

/** The repository's folder. */
export const ROOT = join(import.meta.dir, '..', '..');
/** bench/serve. */
export const BENCH = import.meta.dir;
/** The Bun of the image: the one that runs this. */
export const BUN = process.execPath;
