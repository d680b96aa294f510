import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes files by their paths into a folder. */
export function write(dir: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  return dir;
}

/** A package in node_modules. */
export function npm(
  name: string,
  script: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, string> {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.2.3', main: 'main.js', ...more }),
    [`node_modules/${name}/main.js`]: script,
  };
}
