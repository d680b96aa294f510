// Checks a project, builds its image and asks the model, in a program of one's own: bun example.ts FOLDER
import { homedir } from 'node:os';
import { join } from 'node:path';
import { checkProject } from 'inlay/check';
import { INLAY_VERSION, readAnyProject, readProject } from 'inlay/contract';
import { Engine, onnxRuntimeFrom } from 'inlay/engine';
import { build, hostPlatform, installOnnxRuntime } from 'inlay/image';

const [dir = '.'] = process.argv.slice(2);
const home = process.env.INLAY_HOME ?? join(homedir(), '.cache', 'inlay');
const env = process.env;

// From npm's registry on first use, 46 MB of it kept; not needed where onnxruntime-node is installed.
onnxRuntimeFrom(() => installOnnxRuntime({ cacheDir: join(home, 'cache'), env }));

const { ok, findings } = await checkProject(dir);
for (const { severity, code, message } of findings) console.log(`${severity} ${code}: ${message}`);
if (!ok) process.exit(1);

const { image } = await build({
  project: await readAnyProject(dir),
  home,
  platforms: [hostPlatform(process.arch)],
  compression: 'zstd',
  lockPath: join(dir, 'inlay.lock'),
  inlayVersion: INLAY_VERSION,
  epochS: 0,
  env,
});
console.log(`${image.reference}@${image.digest}`);

const { contract, modelPath } = await readProject(dir);
const engine = await Engine.load({ contract, modelPath, threads: 1 });
for (const [name, { datatype, shape, data }] of Object.entries(await engine.run(engine.sample())))
  console.log(`${name} ${datatype} [${shape.join(', ')}] ${[...data].join(', ')}`);
await engine.close();
