import { bundleDashboard, bundlePlayground, PLAYGROUND_SCRIPT } from '../web/index.ts';
import { type Bundle, bundlePrograms } from './bundle.ts';
import { FROM_SOURCES, readPacked } from './packed.ts';
import { WORKERS } from './server-layer.ts';

/** Optional parts of the SBOM's library, for XML and for validating: what is used needs none of them. */
export const NEVER_NEEDED = ['xmlbuilder2', 'libxmljs2', 'ajv', 'ajv-formats', 'ajv-formats-draft2019'];

/** The command line as it is published and put into images: `main.js`, the threads that it starts, and its pages' files. */
export async function bundleCli(): Promise<Bundle> {
  if (!FROM_SOURCES) return readPacked('cli');
  const { files, inputs } = await bundlePrograms(['cli/main.ts', ...WORKERS], NEVER_NEEDED);
  const [playground, dashboard] = [await bundlePlayground(), await bundleDashboard()];
  const script = { name: PLAYGROUND_SCRIPT, content: new TextEncoder().encode(playground.script) };
  return {
    files: [...files, script, ...dashboard.files],
    inputs: [...inputs, ...playground.inputs, ...dashboard.inputs],
  };
}
