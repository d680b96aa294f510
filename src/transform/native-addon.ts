import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InlayError } from '../error/index.ts';

/** Packages that find and load a compiled addon at run time, where a bundler does not see it. */
const LOADERS = [
  'bindings',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  '@mapbox/node-pre-gyp',
  'node-pre-gyp',
  'prebuild-install',
  'napi-postinstall',
];
/** How packages call what they compiled for one system: `@img/sharp-linux-x64`. */
const PLATFORM_PACKAGE = /(linux|darwin|win32)[-_](x64|arm64)/;

/**
 * Refuses npm packages with compiled addons: these are built for one system and processor, and an image of another would not
 * start with them.
 * @param files of the bundle, absolute paths @throws TRANSFORM_NATIVE
 */
export async function refuseNativeAddons(files: readonly string[]): Promise<void> {
  const addon = files.find((file) => file.endsWith('.node'));
  if (addon !== undefined) throw native(packageDir(addon)?.name ?? addon, `it loads ${addon.replace(/^.*\//, '')}`);
  const packages = new Map(files.flatMap((file) => packageDir(file) ?? []).map((one) => [one.dir, one.name]));
  for (const [dir, name] of packages) {
    const why = LOADERS.includes(name) ? 'it loads compiled addons' : await addonOf(dir);
    if (why !== undefined) throw native(name, why);
  }
}

async function addonOf(dir: string): Promise<string | undefined> {
  if (existsSync(join(dir, 'binding.gyp'))) return 'it is compiled when it is installed';
  const { optionalDependencies = {} } = (await Bun.file(join(dir, 'package.json'))
    .json()
    .catch(() => ({}))) as { optionalDependencies?: Readonly<Record<string, string>> };
  const platform = Object.keys(optionalDependencies).find((name) => PLATFORM_PACKAGE.test(name));
  if (platform !== undefined) return `it comes compiled, as ${platform}`;
  for await (const file of new Bun.Glob('**/*.node').scan({ cwd: dir, onlyFiles: true }))
    if (!file.includes('node_modules/')) return `it has ${file}`;
  return undefined;
}

/** The package that a file belongs to. */
function packageDir(file: string): { readonly dir: string; readonly name: string } | undefined {
  const [dir, name] = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)(?=\/)/.exec(file) ?? [];
  return dir === undefined || name === undefined ? undefined : { dir, name };
}

function native(name: string, why: string): InlayError {
  return new InlayError('TRANSFORM_NATIVE', `the transform uses ${name}, a native addon: ${why}`, {
    hint: 'A compiled addon runs on one system and processor, and an image must not depend on where it was built. Take a package in plain JavaScript or WebAssembly, or install without optional packages (npm install --omit=optional) if it has a plain fallback.',
  });
}
