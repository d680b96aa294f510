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

/** A chunk from this size on that is only loaded when it is called stays a file of its own, so that the start does not read it. */
const APART_BYTES = 100_000;

/**
 * Makes one program of a bundle's chunks and compiles it to JavaScriptCore's bytecode, so that Bun need not read them: a sixth of a
 * server's start. Bun compiles CommonJS only. Another Bun than the one that compiled it reads the text, as if there were no bytecode.
 * @param chunks ES modules of one folder, bundled with RUNTIME_PLACE
 * @param main the program that runs on the main thread @param threads those of its threads
 * @returns `MAIN.js`, `MAIN.js.jsc` (the bytecode), `THREAD.js`, and large parts that are loaded when they are called
 */
export async function compileProgram(
  chunks: readonly OutputFile[],
  main: string,
  threads: readonly string[],
): Promise<OutputFile[]> {
  const programs = [main, ...threads];
  const texts = chunks.map(({ name, content }): Text => {
    // What one chunk loads of another when it is called.
    return [name, new TextDecoder().decode(content).replaceAll('import.meta.require', 'require')];
  });
  const needed = new Set([
    ...programs.map((name) => `${name}.js`),
    ...texts.flatMap(([, text]) => staticImports(text)),
  ]);
  const isApart = ([name, text]: Text) => !needed.has(name) && text.length >= APART_BYTES;
  const apart = texts.filter(isApart);
  const together = texts.filter((text) => !isApart(text));
  const shared = together.filter(([name]) => apart.some(([, text]) => text.includes(`"./${name}"`)));
  // A pattern, since Bun would take the name itself for a file's.
  const external = apart.map(([name]) => `./${name.slice(0, -1)}*`);
  const entry = `${FOLDER}/${main}.js`;
  const program = await build([entry], {
    external,
    files: {
      ...inFolder(together),
      [entry]: [
        `exports.chunks=${loaders(shared.map(([name]) => name))};`,
        `exports.programs=${loaders(programs.map((name) => `${name}.js`))};`,
        `if(Bun.isMainThread){Bun.unsafe.setJITPolicy(${START_JIT_SCALE});exports.programs["${main}.js"]()}`,
      ].join(''),
    },
    banner: PLACE,
    bytecode: true,
    bytecodeDepth: DEPTH,
  });
  // What they share with the running program they take from it: a class, for one, must be the same.
  const parts = await build(
    apart.map(([name]) => `${FOLDER}/chunks/${name}`),
    {
      external,
      files: {
        ...inFolder(apart),
        ...inFolder(shared.map(([name]) => [name, `module.exports=INLAY_CHUNKS[${JSON.stringify(name)}]();`])),
      },
      banner: `${PLACE}var INLAY_CHUNKS=require("./${main}.js").chunks;`,
    },
  );
  return [
    ...program,
    ...parts,
    ...threads.map((name) => ({
      name: `${name}.js`,
      content: new TextEncoder().encode(`require("./${main}.js").programs["${name}.js"]();\n`),
    })),
  ];
}

/** A chunk's name and what stands in it. */
type Text = readonly [name: string, text: string];

/** An object of functions, each of which loads a chunk. */
function loaders(names: readonly string[]): string {
  return `{${names.map((name) => `"${name}":()=>require("./chunks/${name}")`)}}`;
}

/** The chunks that a chunk cannot be loaded without. */
function staticImports(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import)\s*"\.\/([^"]+)"/g)].map(([, name]) => name as string);
}

function inFolder(texts: readonly Text[]): Record<string, string> {
  return Object.fromEntries(texts.map(([name, text]) => [`${FOLDER}/chunks/${name}`, text]));
}

async function build(entrypoints: string[], options: Partial<Bun.BuildConfig>): Promise<OutputFile[]> {
  if (entrypoints.length === 0) return [];
  const { success, logs, outputs } = await Bun.build({
    ...options,
    entrypoints,
    root: '/',
    target: 'bun',
    format: 'cjs',
    minify: { whitespace: true, syntax: true, identifiers: false },
    naming: { entry: '[name].js' },
    throw: false,
  } as Bun.BuildConfig);
  if (!success)
    throw new InlayError('COMMAND_FAILED', `inlay cannot be compiled: ${logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  return await Promise.all(
    outputs.map(async (output) => ({
      name: output.path.replace(/^.*\//, ''),
      content: new Uint8Array(await output.arrayBuffer()),
    })),
  );
}
