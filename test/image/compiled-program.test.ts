import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGE } from '../../src/image/bundle.ts';
import type { OutputFile } from '../../src/image/chunk-names.ts';
import { compileProgram } from '../../src/image/compiled-program.ts';
import { bundleServer } from '../../src/image/server-layer.ts';
import { endOf } from '../end-of.ts';

let dir: string;
let server: readonly OutputFile[];
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-compiled-'));
  const { entries } = await bundleServer();
  server = entries.map(({ path, content }) => ({
    name: path.replace(/^.*\//, ''),
    content: content as Uint8Array,
  }));
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs a program and tells what it writes, and what JavaScriptCore tells of its cache. */
async function run(folder: string, files: readonly OutputFile[]): Promise<{ output: string; hits: number }> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { name, content } of files) writeFileSync(join(folder, name), content);
  const child = Bun.spawn([process.execPath, '--no-env-file', '--no-install', join(folder, 'main.js')], {
    env: { BUN_JSC_verboseDiskCache: '1', BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0' },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const { stdout, stderr } = await endOf(child);
  const lines = `${stdout}${stderr}`.split('\n');
  return {
    output: lines.filter((line) => !line.startsWith('[Disk Cache]')).join('\n'),
    hits: lines.filter((line) => line === '[Disk Cache] Cache hit for sourceCode').length,
  };
}

const chunk = (name: string, text: string) => ({ name, content: new TextEncoder().encode(text) });
const changed = (name: string, change: (content: Uint8Array) => Uint8Array) =>
  server.map((file) => (file.name === name ? { ...file, content: change(new Uint8Array(file.content)) } : file));

test('the pinned Bun takes the bytecode of the image’s server', async () => {
  const { output, hits } = await run(join(dir, 'server'), server);
  expect(output).toContain('ENVIRONMENT_INVALID');
  expect(hits).toBe(1);
});

test('where bytecode is damaged, cut short, of another Bun or of another text, Bun reads the text', async () => {
  const flipped = (at: number) => (content: Uint8Array) => {
    content[at] = (content[at] as number) ^ 0x55;
    return content;
  };
  const text = (content: Uint8Array) =>
    new TextEncoder().encode(
      new TextDecoder().decode(content).replace('MODEL_FILEPATH is not set', 'no MODEL_FILEPATH'),
    );
  for (const files of [
    // The version of the format is in its first bytes.
    changed('main.js.jsc', flipped(0)),
    changed('main.js.jsc', flipped(100_000)),
    changed('main.js.jsc', (content) => content.subarray(0, 500_000)),
    changed('main.js.jsc', () => new Uint8Array()),
    changed('main.js', text),
    server.filter(({ name }) => name !== 'main.js.jsc'),
  ]) {
    const { output, hits } = await run(join(dir, 'damaged'), files);
    expect(output).toContain('ENVIRONMENT_INVALID');
    expect(hits).toBe(0);
  }
});

test('the server is the same bytes from another folder, home and folder for temporary files', async () => {
  const clone = join(dir, 'another clone');
  for (const path of ['src', 'package.json', 'tsconfig.json'])
    cpSync(join(PACKAGE, path), join(clone, path), { recursive: true });
  symlinkSync(join(PACKAGE, 'node_modules'), join(clone, 'node_modules'));
  const home = join(dir, 'home');
  mkdirSync(home);
  const program = `import { bundleServer } from ${JSON.stringify(join(clone, 'src/image/server-layer.ts'))};
    console.log((await bundleServer()).key);`;
  const child = Bun.spawn([process.execPath, '--no-env-file', '-e', program], {
    cwd: home,
    env: { HOME: home, TMPDIR: home },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const { stdout, stderr } = await endOf(child);
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe((await bundleServer()).key);
}, 60_000);

test('nothing of the server depends on where it was made: no folder, and no number that processors read differently', () => {
  for (const { name, content } of server) {
    const bytes = Buffer.from(content);
    expect({ name, folder: bytes.includes(PACKAGE) }).toEqual({ name, folder: false });
    // As an integer of 64 bits 2 ** 63 is another number on x64 than on arm64, so the compiler writes another kind of constant.
    const differs = name === 'main.js' && /(?<![\d."'])9223372036854776000(?!\d)/.test(bytes.toString());
    expect({ name, differs }).toEqual({ name, differs: false });
  }
});

test('a program knows where it lies when it runs, starts its threads from there, and loads parts when they are wanted', async () => {
  const padding = `/*! ${'large '.repeat(20_000)}*/`;
  const files = await compileProgram(
    [
      chunk(
        'shared.js',
        `export class Told extends Error {}
        export let count = 0;
        export async function tell(load) {
          count++;
          const { fail, count: seen } = await load();
          try { fail(); } catch (error) { return [error instanceof Told, seen()]; }
        }`,
      ),
      chunk('small.js', 'import{Told,count}from"./shared.js";export const fail=()=>{throw new Told()},seen=()=>count;'),
      chunk(
        'large.js',
        `${padding}import{Told,count as now}from"./shared.js";export function fail(){throw new Told()}export function count(){return now}`,
      ),
      chunk(
        'main.js',
        `import{tell}from"./shared.js";
        const { seen } = import.meta.require("./small.js");
        const thread = new Worker(new URL('thread.js', INLAY_URL));
        thread.onmessage = async ({ data }) => {
          const told = await tell(() => import("./large.js"));
          console.log(JSON.stringify({ thread: data, main: told, small: seen(), dir: INLAY_DIR }));
          process.exit(0);
        };`,
      ),
      chunk(
        'thread.js',
        'import{tell}from"./shared.js";tell(()=>import("./large.js")).then((told)=>self.postMessage(told));',
      ),
    ],
    'main',
    ['thread'],
  );
  expect(files.map(({ name }) => name).toSorted()).toEqual(['large.js', 'main.js', 'main.js.jsc', 'thread.js']);
  const folder = join(dir, 'odd # folder %20');
  const { output, hits } = await run(folder, files);
  // Each thread has a program of its own; its parts see the program's own classes, and values as they are now.
  expect(JSON.parse(output)).toEqual({ thread: [true, 1], main: [true, 1], small: 1, dir: folder });
  expect(hits).toBe(2);
});
