import { join } from 'node:path';
import type { Project } from '../contract/index.ts';
import { LAYER_FORMAT, writeLayer } from './layer/layer.ts';
import { cachedLayer } from './layer/layer-cache.ts';
import type { Materials } from './materials.ts';
import { TRANSFORM_DIR } from './model-layer.ts';
import { bundledPackages } from './npm-package.ts';
import type { OciLayout } from './oci/layout.ts';
import type { ComposeOptions, PlacedLayer } from './shared-layers.ts';

/** The layer of a project's bundled transform, below that of the model: a retrained model leaves it as it is. */
export async function transformLayer(
  layout: OciLayout,
  project: Project,
  options: ComposeOptions,
): Promise<PlacedLayer[]> {
  const { home, compression, epochS: mtimeS } = options;
  if (!project.transform || !project.contract.transform) return [];
  const { digest, files } = project.transform.bundle;
  const key = [LAYER_FORMAT, 'transform', compression, mtimeS, digest].join('\n');
  const layer = await cachedLayer(layout, join(home, 'cache', 'layers'), key, () =>
    writeLayer(
      layout,
      files.map(({ name, content }) => ({
        path: `${TRANSFORM_DIR.slice(1)}/${name}`,
        type: 'file' as const,
        mode: 0o644,
        content,
      })),
      { compression, mtimeS },
    ),
  );
  return [{ ...layer, kind: 'transform', contents: project.contract.transform.file }];
}

/** The npm packages that are bundled into a project's transform. */
export async function transformMaterials(project: Project): Promise<Pick<Materials, 'transform'>> {
  return project.transform ? { transform: await bundledPackages(project.transform.bundle.sources) } : {};
}
