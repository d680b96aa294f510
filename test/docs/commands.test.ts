// Every command of README.md and docs/ is run: those that need nothing but this checkout here, the others by e2e/docs.test.ts.
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandPages } from '../../scripts/command-pages.ts';
import { createProgram } from '../../src/cli/program.ts';
import { parsePage, scriptsOf } from './page.ts';
import { allPages, ROOT } from './pages.ts';
import { runPage } from './run-page.ts';

const pages = await allPages();
const dir = mkdtempSync(join(tmpdir(), 'inlay-docs-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('a command outside of a block of shell is found', () => {
  for (const text of [
    '    inlay build',
    '    $ curl localhost',
    '```text\ninlay check\n```',
    '```sh sometimes\ninlay check\n```',
  ])
    expect(() => parsePage('page.md', text)).toThrow('page.md');
  expect(parsePage('page.md', '```sh\ninlay check\n```\n```sh registry\ninlay push\n```').blocks).toHaveLength(2);
});

test('docs/commands is what the command line defines; npm run generate:docs writes it', async () => {
  const wanted = commandPages(createProgram());
  expect(readdirSync(join(ROOT, 'docs/commands')).sort()).toEqual([...wanted.keys()].sort());
  for (const [name, text] of wanted) expect(await Bun.file(join(ROOT, 'docs/commands', name)).text()).toBe(text);
});

test('npm scripts that pages name are there', async () => {
  const { scripts } = (await Bun.file(join(ROOT, 'package.json')).json()) as { scripts: Record<string, string> };
  const named = pages.flatMap(scriptsOf);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => scripts[name] === undefined && name !== 'pack')).toEqual([]);
});

const quick = pages
  .map((page) => ({ page, blocks: page.blocks.filter(({ need }) => need === 'nothing') }))
  .filter(({ blocks }) => blocks.length > 0);

test.each(quick.map((one) => [one.page.path, one] as const))(
  'the commands of %s run',
  async (path, { page, blocks }) => {
    const own = mkdtempSync(join(dir, `${path.replaceAll('/', '-')}-`));
    // Named so that nothing is asked of anybody: no registry is there.
    expect(await runPage(page, blocks, { dir: own, home: join(dir, 'home'), registry: '127.0.0.1:9' })).toBeUndefined();
  },
);
