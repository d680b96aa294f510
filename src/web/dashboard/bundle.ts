import { join } from 'node:path';
import { InlayError } from '../../error/index.ts';

/** The dashboard's files by name, and their media types; those of one folder, beside a bundle or from sources. */
export const DASHBOARD_FILES = {
  'dashboard.js': 'text/javascript',
  'dashboard.css': 'text/css',
  'dashboard-icon.svg': 'image/svg+xml',
} as const;
export type DashboardFile = keyof typeof DASHBOARD_FILES;

const SCRIPT = 'dashboard.js';
let fromSources: Promise<string> | undefined;

/** The dashboard's files, to lie beside a bundled hub. @throws COMMAND_FAILED when the script cannot be bundled */
export async function bundleDashboard(): Promise<{ readonly name: DashboardFile; readonly content: Uint8Array }[]> {
  const names = Object.keys(DASHBOARD_FILES) as DashboardFile[];
  return Promise.all(
    names.map(async (name) => ({
      name,
      content:
        name === SCRIPT
          ? new TextEncoder().encode(await bundleScript())
          : await Bun.file(join(import.meta.dir, name)).bytes(),
    })),
  );
}

/** A file to send: the one beside the bundle; from sources the script is bundled on the first request. */
export async function dashboardFile(name: DashboardFile): Promise<Blob | string> {
  const file = Bun.file(join(import.meta.dir, name));
  if (await file.exists()) return file;
  fromSources ??= bundleScript();
  return fromSources;
}

async function bundleScript(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, 'app.tsx')],
    target: 'browser',
    format: 'iife',
    minify: true,
    jsx: { runtime: 'automatic', importSource: 'preact', development: false },
    throw: false,
  });
  const [script] = built.outputs;
  if (!built.success || !script)
    throw new InlayError('COMMAND_FAILED', `the dashboard cannot be bundled: ${built.logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  return script.text();
}
