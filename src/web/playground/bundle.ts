import { join, resolve } from 'node:path';
import { InlayError } from '../../error/index.ts';

/** The script's file name beside the server's bundle. */
export const PLAYGROUND_SCRIPT = 'playground.js';

let fromSources: Promise<string> | undefined;

/** The browser's script as one file, and the absolute paths of the files that went into it. @throws COMMAND_FAILED when it cannot be bundled */
export async function bundlePlayground(): Promise<{ readonly script: string; readonly inputs: readonly string[] }> {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, 'app.ts')],
    target: 'browser',
    format: 'iife',
    minify: true,
    metafile: true,
    throw: false,
  });
  const [script] = built.outputs;
  if (!built.success || !script)
    throw new InlayError('COMMAND_FAILED', `the playground cannot be bundled: ${built.logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  const inputs = Object.keys(built.metafile?.inputs ?? {}).map((path) => resolve(path));
  return { script: await script.text(), inputs };
}

/** The script to send: the file in an image; bundled on the first request where the server runs from sources. */
export async function playgroundScript(): Promise<string | Blob> {
  const file = Bun.file(join(import.meta.dir, PLAYGROUND_SCRIPT));
  if (await file.exists()) return file;
  fromSources ??= bundlePlayground().then(({ script }) => script);
  return fromSources;
}
