// Many versions of one tiny model, as images of inlay with what a build attaches to them: made in one process, and pushed in another, which
// may run where a registry's address is reachable. Run as a program it pushes: HOME REFERENCE...
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { INLAY_VERSION, readProject } from '../../src/contract/index.ts';
import { buildImage, hostPlatform, OciLayout, storeDir } from '../../src/image/index.ts';
import { parseReference, pushImage, Registry } from '../../src/registry/index.ts';
import { attachStatements } from '../../src/supply/index.ts';
import { modelOf, ROWS } from '../release/models.ts';

export const STORE = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');

/** Builds versions into the store of the e2e tests. @returns their references */
export async function buildVersions(dir: string, repository: string, versions: readonly string[]): Promise<string[]> {
  const references: string[] = [];
  const lock = join(dir, 'inlay.lock');
  const layout = await OciLayout.open(storeDir(STORE));
  for (const [i, version] of versions.entries()) {
    const folder = join(dir, `${repository.replaceAll(/[:/]/g, '-')}-${version}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'model.onnx'), modelOf('good', i));
    writeFileSync(join(folder, 'label.json'), '["setosa", "versicolor", "virginica"]');
    writeFileSync(
      join(folder, 'inlay.yaml'),
      `name: iris\nversion: "${version}"\nimage: ${repository}\nmodel: model.onnx\nlabels: label.json\ntask: classification\nsample: [[${ROWS[0]}]]\nserver: {cpu: 50m, memory: 200Mi}\n`,
    );
    // The packages of the first image are those of all.
    if (existsSync(lock)) cpSync(lock, join(folder, 'inlay.lock'));
    const project = await readProject(folder);
    const common = { compression: 'zstd', epochS: 0, inlayVersion: INLAY_VERSION, env: process.env } as const;
    const built = await buildImage({
      project,
      home: STORE,
      platforms: [hostPlatform(process.arch)],
      lockPath: join(folder, 'inlay.lock'),
      ...common,
    });
    await attachStatements({ layout, project, built, ...common });
    if (!existsSync(lock)) cpSync(join(folder, 'inlay.lock'), lock);
    references.push(built.image.reference);
  }
  return references;
}

export async function pushVersions(references: readonly string[]): Promise<void> {
  const layout = await OciLayout.open(storeDir(STORE));
  const insecureRegistries = references.map((reference) => parseReference(reference).registry);
  const { DOCKER_CONFIG } = process.env;
  await using registry = new Registry({ env: { DOCKER_CONFIG }, homeDir: STORE, insecureRegistries });
  for (const source of references) await pushImage({ registry, layout, source, to: parseReference(source) });
}

/** Takes them out of the store again. */
export async function forgetVersions(references: readonly string[]): Promise<void> {
  const layout = await OciLayout.open(storeDir(STORE));
  await layout.unlist((_, reference) => reference !== undefined && references.includes(reference));
}

if (import.meta.main) await pushVersions(process.argv.slice(2));
