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

export interface DashboardBundle {
  /** To lie beside a bundled hub. */
  readonly files: readonly { readonly name: DashboardFile; readonly content: Uint8Array }[];
  /** What the script was made from, relative to the working directory or absolute. */
  readonly inputs: readonly string[];
}

/** The dashboard's files, from sources. @throws COMMAND_FAILED when the script cannot be bundled */
export async function bundleDashboard(): Promise<DashboardBundle> {
  const { script, inputs } = await bundleScript();
  const names = Object.keys(DASHBOARD_FILES) as DashboardFile[];
  const contentOf = async (name: DashboardFile) =>
    name === SCRIPT ? new TextEncoder().encode(script) : await Bun.file(join(import.meta.dir, name)).bytes();
  return { files: await Promise.all(names.map(async (name) => ({ name, content: await contentOf(name) }))), inputs };
}

/** A file to send: the one beside the bundle; from sources the script is bundled on the first request. */
export async function dashboardFile(name: DashboardFile): Promise<Blob | string> {
  const file = Bun.file(join(import.meta.dir, name));
  if (await file.exists()) return file;
  fromSources ??= bundleScript().then(({ script }) => script);
  return fromSources;
}

async function bundleScript() {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, 'app.tsx')],
    target: 'browser',
    format: 'iife',
    minify: true,
    jsx: { runtime: 'automatic', importSource: 'preact', development: false },
    metafile: true,
    throw: false,
  });
  const [script] = built.outputs;
  if (!built.success || !script)
    throw new InlayError('COMMAND_FAILED', `the dashboard cannot be bundled: ${built.logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  return { script: await script.text(), inputs: Object.keys(built.metafile?.inputs ?? {}) };
}
