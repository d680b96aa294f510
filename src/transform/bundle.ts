import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { InlayError } from '../error/index.ts';
import { type BundleFile, digestOfFiles, TRANSFORM_ENTRY } from './bundle-files.ts';
import { refuseNativeAddons } from './native-addon.ts';

/** A transform with all that it needs, in files of one folder. */
export interface TransformBundle {
  /** Of all files together; the same wherever the project lies. */
  readonly digest: string;
  readonly files: readonly BundleFile[];
  /** The files that it was made of, absolute paths. */
  readonly sources: readonly string[];
}

/** Stands for the bundle's folder until the script is loaded from it. */
const ASSETS = 'inlay-transform-assets/';
const ASSET = new RegExp(`(["'])${ASSETS}([^"']+)\\1`, 'g');
/** The folder and the file of the bundle, wherever it lies: the bundler would write the folders of this machine instead. */
const DIR = '__inlay_transform_dir';
const FILE = '__inlay_transform_file';

/**
 * Bundles a transform with the npm packages and files that it imports: one script, and beside it the files that it imports with
 * `{ type: 'file' }`, which it is given as absolute paths.
 * @param root the project's folder @param path the transform in it, both as realpath gives them
 * @throws TRANSFORM_INVALID, TRANSFORM_NATIVE, PATH_ESCAPES
 */
export async function bundleTransform(root: string, path: string): Promise<TransformBundle> {
  const built = await Bun.build({
    entrypoints: [path],
    root,
    target: 'bun',
    format: 'esm',
    // Names stay, so that a stack trace in a log can be read.
    minify: { whitespace: true, syntax: false, identifiers: false },
    naming: { entry: TRANSFORM_ENTRY, chunk: '[name]-[hash].js', asset: '[name]-[hash].[ext]' },
    publicPath: ASSETS,
    define: { __dirname: DIR, __filename: FILE, 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    throw: false,
  });
  if (!built.success) {
    const [first] = built.logs;
    const at = first?.position ? `${relative(root, first.position.file)}:${first.position.line}: ` : '';
    throw new InlayError(
      'TRANSFORM_INVALID',
      `the transform cannot be bundled: ${at}${first?.message ?? 'no reason'}`,
      {
        hint: /could not resolve/i.test(first?.message ?? '')
          ? 'Install npm packages beside inlay.yaml: npm ci.'
          : 'It is TypeScript or JavaScript, as Bun reads it.',
      },
    );
  }
  const sources = await Promise.all(
    Object.keys(built.metafile?.inputs ?? {}).map((source) => realpath(resolve(source)).catch(() => resolve(source))),
  );
  refuseOutside(root, sources);
  await refuseNativeAddons(sources);
  const files = await Promise.all(
    built.outputs.map(async (output) => {
      const name = output.path.replace(/^.*\//, '');
      const content = name === TRANSFORM_ENTRY ? new TextEncoder().encode(placed(await output.text())) : undefined;
      return { name, content: content ?? new Uint8Array(await output.arrayBuffer()) };
    }),
  );
  return { digest: digestOfFiles(files), files, sources: sources.toSorted() };
}

/** A script that knows its own folder. */
function placed(script: string): string {
  const body = script.replace(/^\/\/ @bun.*\n/, '').replaceAll(ASSET, `(${DIR}+"/$2")`);
  return `const ${DIR}=import.meta.dir,${FILE}=import.meta.path;\n${body}`;
}

/** @throws PATH_ESCAPES */
function refuseOutside(root: string, sources: readonly string[]): void {
  const outside = sources.find((source) => {
    const way = relative(root, source);
    return way.startsWith('..') || isAbsolute(way);
  });
  if (outside === undefined) return;
  const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(outside) ?? [];
  throw new InlayError(
    'PATH_ESCAPES',
    `transform: it imports ${name ?? outside} from outside of the project's folder`,
    {
      hint:
        name === undefined
          ? `Move the file below ${root}: what a project needs lies in its folder, so that it builds anywhere.`
          : `List it in a package.json beside inlay.yaml and install it there: it was found in ${outside.slice(0, outside.indexOf('/node_modules/'))}.`,
    },
  );
}
