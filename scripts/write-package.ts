// npm pack's `prepack`: writes dist/, which is what npm publishes of the code.
//   cli/     the command line with all that it needs of npm, as in the image that `inlay cli-image` makes
//   server/  the files of the image's server layer, byte for byte what the sources give
//   lib/     each room's door, for `import … from 'inlay/ROOM'`
//   types/   their types
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { bundlePrograms } from '../src/image/bundle.ts';
import { bundleCli, NEVER_NEEDED } from '../src/image/cli-bundle.ts';
import { bundledPackages, type NpmPackage } from '../src/image/npm-package.ts';
import { type PackedNote, readPacked } from '../src/image/packed.ts';
import { bundleServer, WORKERS } from '../src/image/server-layer.ts';
import { bundleDashboard, bundlePlayground, PLAYGROUND_SCRIPT } from '../src/web/index.ts';

const ROOT = join(import.meta.dir, '..');
const dist = join(ROOT, 'dist');
const work = `${dist}.new`;

interface File {
  readonly name: string;
  readonly content: Uint8Array;
}

async function put(folder: string, files: readonly File[]): Promise<void> {
  await mkdir(join(work, folder), { recursive: true });
  for (const { name, content } of files) await writeFile(join(work, folder, name), content);
}

async function note(name: string, files: readonly File[], packages: readonly NpmPackage[]): Promise<void> {
  const told: PackedNote = { schemaVersion: 1, files: files.map((file) => file.name), packages: [...packages] };
  await writeFile(join(work, `${name}.json`), JSON.stringify(told));
}

await rm(work, { recursive: true, force: true });

const server = await bundleServer();
const serverFiles = server.entries.map(({ path, content }) => ({
  name: path.replace(/^.*\//, ''),
  content: content as Uint8Array,
}));
await put('server', serverFiles);
await note('server', serverFiles, server.packages);

const cli = await bundleCli();
await put('cli', cli.files);
await note('cli', cli.files, []);

const doors = Object.keys(manifest.exports).flatMap((name) => (name.endsWith('.json') ? [] : [name.slice(2)]));
const external = [...Object.keys(manifest.dependencies), ...NEVER_NEEDED];
const lib = await bundlePrograms(WORKERS, external, doors);
const [playground, dashboard] = [await bundlePlayground(), await bundleDashboard()];
const script = { name: PLAYGROUND_SCRIPT, content: new TextEncoder().encode(playground.script) };
await put('lib', [...lib.files, script, ...dashboard.files]);

const typed = Bun.spawnSync(
  ['node_modules/.bin/tsc', '-p', 'scripts/types.tsconfig.json', '--outDir', join(work, 'types')],
  {
    cwd: ROOT,
    stdout: 'inherit',
    stderr: 'inherit',
  },
);
if (typed.exitCode !== 0) process.exit(typed.exitCode);
// Declarations import one another as the sources do; a reader without the sources finds them by the ending of scripts.
for (const file of await readdir(join(work, 'types'), { recursive: true })) {
  if (!file.endsWith('.d.ts')) continue;
  const text = await readFile(join(work, 'types', file), 'utf8');
  await writeFile(join(work, 'types', file), text.replace(/((?:from|import\()\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
}

const inputs = [...cli.inputs, ...lib.inputs, ...playground.inputs, ...dashboard.inputs].map((path) => resolve(path));
await writeFile(join(work, 'THIRD-PARTY-NOTICES.txt'), await notices(inputs));

await rm(dist, { recursive: true, force: true });
await rename(work, dist);
await readPacked('server'); // what a build will read

/** The licences of what is bundled, as they ask. */
async function notices(files: readonly string[]): Promise<string> {
  const dirs = new Map<string, string>();
  for (const file of files) {
    const [dir, name] = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
    if (dir !== undefined && name !== undefined) dirs.set(name, dir);
  }
  const parts: string[] = ['dist/ has parts of these packages in it.\n'];
  for (const { name, version, licence } of await bundledPackages(files)) {
    const dir = dirs.get(name) ?? '';
    const found = (await readdir(dir)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
    const texts = await Promise.all(found.map((file) => readFile(join(dir, file), 'utf8').catch(() => '')));
    parts.push(`${'-'.repeat(80)}\n${name} ${version} (${licence ?? 'see below'})\n\n${texts.join('\n').trim()}\n`);
  }
  return parts.join('\n');
}
