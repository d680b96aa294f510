import { isAbsolute, join } from 'node:path';
import style from './playground.css' with { type: 'file' };
import icon from './playground-icon.svg' with { type: 'file' };

// Bun resolves imported files to absolute paths from sources, and to names beside the bundle in a bundle.
const here = (path: string) => Bun.file(isAbsolute(path) ? path : join(import.meta.dir, path));

export const playgroundStyle = (): Blob => here(style);
export const playgroundIcon = (): Blob => here(icon);
