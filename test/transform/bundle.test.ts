import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleTransform } from '../../src/transform/bundle.ts';
import { digestOfFiles } from '../../src/transform/index.ts';
import { prepareTransform } from '../../src/transform/prepare.ts';
import { npm, write } from './writing.ts';

let root: string;
let count = 0;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'inlay-transforms-')));
});
afterAll(() => rmSync(root, { recursive: true }));
const project = (files: Readonly<Record<string, string | Uint8Array>>, name = `p${count++}`) =>
  write(join(root, name), files);
const bundle = (dir: string) => bundleTransform(dir, join(dir, 'transform.ts'));

/** Uses all that a transform may: a package, its folder, files as paths and as text, JSON, a module of its own. */
const RICH = {
  'transform.ts': `
    import type { Transform } from 'inlay/transform';
    import { fold } from 'folds';
    import path from './data/vocab.txt' with { type: 'file' };
    import other from './vocab.txt' with { type: 'file' };
    import wasm from './code.wasm' with { type: 'file' };
    import words from './words.txt' with { type: 'text' };
    import tokenizer from './tokenizer.json';
    import { own } from './own.ts';
    export default {
      accepts: ['Text/Plain', 'image/*'],
      preprocess: () => ({}),
      async postprocess() {
        const late = await import('./late.ts');
        const read = (file: string) => Bun.file(file).text();
        return [await read(path), await read(other), (await Bun.file(wasm).bytes()).length, words, tokenizer, own, late.late,
          fold('A'), process.env.NODE_ENV];
      },
    } satisfies Transform;`,
  'own.ts': 'export const own: number = 1;',
  'late.ts': 'export const late = 2;',
  'data/vocab.txt': 'a\nb\n',
  'vocab.txt': 'c\n',
  'words.txt': 'd',
  'code.wasm': new Uint8Array([0, 97, 115, 109]),
  'tokenizer.json': '{"model":{"type":"WordPiece"}}',
  ...npm('folds', 'exports.fold = (x) => x.toLowerCase(); exports.dir = __dirname; exports.file = __filename;'),
};

test('what is imported comes along, and works from where the bundle lies', async () => {
  const dir = project(RICH);
  const { loaded, bundle, dir: unpacked } = await prepareTransform(dir, join(dir, 'transform.ts'));
  expect(loaded.accepts).toEqual(['text/plain', 'image/*']);
  rmSync(dir, { recursive: true });
  expect(await loaded.postprocess?.({}, undefined as never, undefined as never)).toEqual([
    'a\nb\n',
    'c\n',
    4,
    'd',
    { model: { type: 'WordPiece' } },
    1,
    2,
    'a',
    'production',
  ]);
  expect(bundle.files.length).toBe(4);
  expect(unpacked).not.toStartWith(dir);
});

test('two clones in two folders give the same bytes, and no folder stands in them', async () => {
  const a = await bundle(project(RICH));
  const b = await bundle(project(RICH, `deeper/${'x'.repeat(50)}/p`));
  expect(b.digest).toBe(a.digest);
  expect(digestOfFiles(a.files)).toBe(a.digest);
  expect(b.files).toEqual(a.files);
  for (const { content } of a.files) expect(new TextDecoder().decode(content)).not.toContain(root);
  const changed = await bundle(project({ ...RICH, 'data/vocab.txt': 'a\nc\n' }));
  expect(changed.digest).not.toBe(a.digest);
});

const importing = (what: string) => `import x from '${what}'; export default { preprocess: () => x };`;

describe('refuses', () => {
  test.each<[string, Record<string, string>, string]>([
    [
      'an addon',
      {
        'transform.ts': importing('nat'),
        ...npm('nat', 'module.exports = require("./a.node")'),
        'node_modules/nat/a.node': 'x',
      },
      'a.node',
    ],
    [
      'what is compiled when it is installed',
      { 'transform.ts': importing('gyp'), ...npm('gyp', 'module.exports = 1'), 'node_modules/gyp/binding.gyp': '{}' },
      'gyp',
    ],
    [
      'a loader of addons',
      {
        'transform.ts': importing('b'),
        ...npm('b', 'module.exports = require("bindings")("b")'),
        ...npm('bindings', 'module.exports = () => {}'),
      },
      'bindings',
    ],
    [
      'packages by platform',
      {
        'transform.ts': importing('@img/sharper'),
        ...npm('@img/sharper', 'module.exports = 1', { optionalDependencies: { '@img/sharper-linux-x64': '1' } }),
      },
      '@img/sharper',
    ],
    [
      'an addon that is found at run time',
      {
        'transform.ts': importing('dyn'),
        ...npm('dyn', 'module.exports = 1'),
        'node_modules/dyn/prebuilds/linux/x.node': 'x',
      },
      'prebuilds/linux/x.node',
    ],
  ])('%s', async (_, files, said) => {
    await expect(bundle(project(files))).rejects.toMatchObject({
      code: 'TRANSFORM_NATIVE',
      message: expect.stringContaining(said),
    });
  });

  test('a file above the project, also behind a link', async () => {
    // First of all: Bun keeps what it has seen of a folder for a while.
    write(root, { 'secret.txt': 'x' });
    write(root, { 'shared.ts': 'export default 1;' });
    await expect(bundle(project({ 'transform.ts': importing('../shared.ts') }))).rejects.toMatchObject({
      code: 'PATH_ESCAPES',
    });
    const linked = project({ 'transform.ts': importing('./shared.ts') });
    symlinkSync(join(root, 'shared.ts'), join(linked, 'shared.ts'));
    await expect(bundle(linked)).rejects.toMatchObject({ code: 'PATH_ESCAPES' });
    const asset = project({
      'transform.ts': "import x from '../secret.txt' with { type: 'text' }; export default { preprocess: () => x };",
    });
    await expect(bundle(asset)).rejects.toMatchObject({ code: 'PATH_ESCAPES' });
  });

  test('a package that another folder above happens to have', async () => {
    const dir = project({ 'project/transform.ts': importing('hoisted'), ...npm('hoisted', 'module.exports = 1') });
    await expect(bundle(join(dir, 'project'))).rejects.toMatchObject({
      code: 'PATH_ESCAPES',
      message: expect.stringContaining('hoisted'),
      hint: expect.stringContaining('package.json beside inlay.yaml'),
    });
  });

  test.each([
    ['a package that is not installed', importing('nowhere'), 'nowhere'],
    ['what is no TypeScript', 'export default {\n  preprocess(: 1,\n};', 'transform.ts:2'],
    [
      'a file that is not there',
      "import x from './none.txt' with { type: 'text' }; export default { preprocess: () => x };",
      'none.txt',
    ],
  ])('%s', async (_, script, said) => {
    await expect(bundle(project({ 'transform.ts': script }))).rejects.toMatchObject({
      code: 'TRANSFORM_INVALID',
      message: expect.stringContaining(said),
    });
  });
});

test.each([
  ['nothing exported', 'export const preprocess = () => ({});', 'default export'],
  ['a function', 'export default () => ({});', 'default export'],
  ['no preprocess', 'export default { postprocess: () => 1 };', 'default export'],
  ['a postprocess that is none', 'export default { preprocess: () => ({}), postprocess: 1 };', 'postprocess'],
  ['no types', 'export default { accepts: [], preprocess: () => ({}) };', 'accepts'],
  ['a type that is none', 'export default { accepts: ["png"], preprocess: () => ({}) };', '"png"'],
  ['a throw while it is loaded', 'throw new Error("no vocabulary"); export default {};', 'no vocabulary'],
])('%s is no transform', async (_, script, said) => {
  const dir = project({ 'transform.ts': script });
  await expect(prepareTransform(dir, join(dir, 'transform.ts'))).rejects.toMatchObject({
    code: 'TRANSFORM_INVALID',
    message: expect.stringContaining(said),
  });
});

test('an instance of a class is a transform too', async () => {
  const dir = project({
    'transform.ts': 'class T { n = 7; preprocess() { return this.n; } } export default new T();',
  });
  const { loaded } = await prepareTransform(dir, join(dir, 'transform.ts'));
  expect(loaded.accepts).toEqual(['application/json']);
  expect(loaded.preprocess(undefined as never, undefined as never)).toBe(7 as never);
});
