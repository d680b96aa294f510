import { InlayError } from '../error/index.ts';
import type { OutputFile } from './chunk-names.ts';

/** Where the program's own files lie, for bundles that are compiled: known when it runs, not when it is bundled. */
export const RUNTIME_PLACE: Readonly<Record<string, string>> = {
  'import.meta.path': 'INLAY_FILE',
  'import.meta.dir': 'INLAY_DIR',
  'import.meta.url': 'INLAY_URL',
};
const PLACE = 'var INLAY_FILE=__filename,INLAY_DIR=__dirname,INLAY_URL=Bun.pathToFileURL(__filename).href;';

/** Where the bundler thinks that the files lie: the same on every machine. Nothing is read from there. */
const FOLDER = '/opt/inlay/bundled';
/**
 * Functions that lie deeper are compiled when they are called: they are those of packages that the start does not need, and would
 * double the bytecode, which is hard to compress.
 */
const DEPTH = 2;
/**
 * What the start runs a few times is not worth machine code: compiling it took a tenth of the start. The program says
 * `setJITPolicy(1)` once the start is over.
 */
const START_JIT_SCALE = 16;

/**
 * Makes one program of a bundle's chunks and compiles it to JavaScriptCore's bytecode, so that Bun need not read them: a sixth of a
 * server's start. Bun compiles CommonJS only. Another Bun than the one that compiled it reads the text, as if there were no bytecode.
 * @param chunks ES modules of one folder, bundled with RUNTIME_PLACE
 * @param main the program that runs on the main thread @param threads those of its threads
 * @returns `MAIN.js`, `MAIN.js.jsc` (the bytecode) and `THREAD.js`
 */
export async function compileProgram(
  chunks: readonly OutputFile[],
  main: string,
  threads: readonly string[],
): Promise<OutputFile[]> {
  const entry = `${FOLDER}/${main}.js`;
  const texts = chunks.map(({ name, content }) => {
    // What one chunk loads of another when it is called.
    const text = new TextDecoder().decode(content).replaceAll('import.meta.require', 'require');
    return [`${FOLDER}/chunks/${name}`, text] as const;
  });
  const starts = [main, ...threads].map((name) => `${JSON.stringify(name)}:()=>require("./chunks/${name}.js")`);
  const built = await Bun.build({
    entrypoints: [entry],
    files: {
      ...Object.fromEntries(texts),
      [entry]: `exports.start={${starts}};if(Bun.isMainThread){Bun.unsafe.setJITPolicy(${START_JIT_SCALE});exports.start.${main}()}`,
    },
    root: '/',
    target: 'bun',
    format: 'cjs',
    bytecode: true,
    bytecodeDepth: DEPTH,
    banner: PLACE,
    minify: { whitespace: true, syntax: true, identifiers: false },
    naming: { entry: '[name].js' },
    throw: false,
  });
  const [script, bytecode] = ['entry-point', 'bytecode'].map((kind) => built.outputs.find((one) => one.kind === kind));
  if (!built.success || script === undefined || bytecode === undefined)
    throw new InlayError('COMMAND_FAILED', `inlay cannot be compiled: ${built.logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  return [
    { name: `${main}.js`, content: new Uint8Array(await script.arrayBuffer()) },
    { name: `${main}.js.jsc`, content: new Uint8Array(await bytecode.arrayBuffer()) },
    ...threads.map((name) => ({
      name: `${name}.js`,
      content: new TextEncoder().encode(`require("./${main}.js").start[${JSON.stringify(name)}]();\n`),
    })),
  ];
}
