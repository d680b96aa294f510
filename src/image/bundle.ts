import { join } from 'node:path';
import { InlayError } from '../error/index.ts';
import { nameByContent } from './chunk-names.ts';

/** The folder of inlay's own package. */
export const SOURCES = join(import.meta.dir, '..', '..');

export interface Bundle {
  readonly files: readonly { readonly name: string; readonly content: Uint8Array }[];
  /** The sources that are in it. */
  readonly inputs: readonly string[];
}

/**
 * Bundles programs of inlay with what they need of npm into a few files; what they share is written once. The bytes depend on the
 * sources and the pinned Bun only, not on where they lie.
 * @param programs files below src/ @param external what stays outside
 */
export async function bundlePrograms(programs: readonly string[], external: readonly string[]): Promise<Bundle> {
  const built = await Bun.build({
    entrypoints: programs.map((file) => join(SOURCES, 'src', file)),
    splitting: true,
    root: SOURCES,
    target: 'bun',
    external: [...external],
    // Names stay, so that a stack trace in a log can be read.
    minify: { whitespace: true, syntax: true, identifiers: false },
    naming: { entry: '[name].js', chunk: '[name]-[hash].js', asset: '[name].[ext]' },
    metafile: true,
    throw: false,
  });
  if (!built.success)
    throw new InlayError('COMMAND_FAILED', `inlay cannot be bundled: ${built.logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  const outputs = await Promise.all(
    built.outputs.map(async (output) => ({
      name: output.path.replace(/^.*\//, ''),
      content: new Uint8Array(await output.arrayBuffer()),
    })),
  );
  return { files: nameByContent(outputs), inputs: Object.keys(built.metafile?.inputs ?? {}) };
}
