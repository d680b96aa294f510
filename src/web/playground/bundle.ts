import { join } from 'node:path';
import { InlayError } from '../../error/index.ts';

/** The script's file name beside the server's bundle. */
export const PLAYGROUND_SCRIPT = 'playground.js';

let fromSources: Promise<string> | undefined;

export interface PlaygroundBundle {
  readonly script: string;
  /** The files that it was made from, relative to the working directory or absolute. */
  readonly inputs: readonly string[];
}

/** The browser's script as one file, from sources. @throws COMMAND_FAILED when it cannot be bundled */
export async function bundlePlayground(): Promise<PlaygroundBundle> {
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
  return { script: await script.text(), inputs: Object.keys(built.metafile?.inputs ?? {}) };
}

/** The script to send: the file in an image; bundled on the first request where the server runs from sources. */
export async function playgroundScript(): Promise<string | Blob> {
  const file = Bun.file(join(import.meta.dir, PLAYGROUND_SCRIPT));
  if (await file.exists()) return file;
  fromSources ??= bundlePlayground().then(({ script }) => script);
  return fromSources;
}
