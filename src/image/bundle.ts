import { join } from 'node:path';
import { InlayError } from '../error/index.ts';
import { nameByContent, type OutputFile } from './chunk-names.ts';

/** The folder of inlay's own package: sources lie as deep in it as the files of its bundles. */
export const PACKAGE = join(import.meta.dir, '..', '..');

export interface Bundle {
  readonly files: readonly OutputFile[];
  /** The sources that are in it. */
  readonly inputs: readonly string[];
}

/**
 * Bundles programs of inlay with what they need of npm into a few files; what they share is written once. The bytes depend on the
 * sources and the pinned Bun only, not on where they lie.
 * @param programs files below src/ @param external what stays outside @param doors rooms whose doors become files of their names
 * @param define identifiers that are written instead of others
 */
export async function bundlePrograms(
  programs: readonly string[],
  external: readonly string[],
  doors: readonly string[] = [],
  define: Readonly<Record<string, string>> = {},
): Promise<Bundle> {
  // All files lie in one folder, since programs start threads from files beside them.
  const doorFiles = Object.fromEntries(
    doors.map((room) => [
      join(PACKAGE, 'doors', `${room}.ts`),
      `export * from ${JSON.stringify(`../src/${room}/index.ts`)};`,
    ]),
  );
  const built = await Bun.build({
    entrypoints: [...programs.map((file) => join(PACKAGE, 'src', file)), ...Object.keys(doorFiles)],
    files: doorFiles,
    splitting: true,
    root: PACKAGE,
    target: 'bun',
    external: [...external],
    // Packages that ask for their folder would have this machine's written into the bundle.
    define: { __dirname: '"/"', __filename: '"/"', ...define },
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
      isAsset: output.kind === 'asset',
    })),
  );
  return { files: nameByContent(outputs), inputs: Object.keys(built.metafile?.inputs ?? {}) };
}
