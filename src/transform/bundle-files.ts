import { createHash } from 'node:crypto';

/** A file of a bundled transform: its name in the one folder that all of them lie in. */
export interface BundleFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** The file that a bundled transform is loaded from; the others are its assets. */
export const TRANSFORM_ENTRY = 'transform.js';

/** The digest of a bundled transform: of all its files, by name and content. */
export function digestOfFiles(files: readonly BundleFile[]): string {
  const hash = createHash('sha256');
  for (const { name, content } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    hash.update(`${name}\0${content.byteLength}\0`).update(content);
  return `sha256:${hash.digest('hex')}`;
}
