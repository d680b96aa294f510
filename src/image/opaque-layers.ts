import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { OpaqueProject } from '../contract/index.ts';
import { LAYER_FORMAT, writeLayer } from './layer/layer.ts';
import { cachedLayer } from './layer/layer-cache.ts';
import type { TarEntry } from './layer/tar.ts';
import { modelFileLayer, modelFilePath, OWN_LAYER_BYTES, requireSame } from './model-files.ts';
import type { OciLayout } from './oci/layout.ts';
import type { PlacedLayer } from './shared-layers.ts';

/** For servers that look where inlay's own does, and what the project says. */
export function opaqueEnvironment({ target, env }: OpaqueProject): Readonly<Record<string, string>> {
  return { MODEL_FILEPATH: target, ...env };
}

/**
 * The files of an opaque model as layers, plain tars: the big ones by themselves, then all others. Owned by root, readable for all.
 * @throws IMAGE_INVALID when a file changes meanwhile
 */
export async function opaqueLayers(
  layout: OciLayout,
  project: OpaqueProject,
  options: { readonly home: string; readonly epochS: number; readonly written?: ReadonlySet<string> },
): Promise<PlacedLayer[]> {
  const { epochS: mtimeS, home } = options;
  const cacheDir = join(home, 'cache');
  const alone = ({ sizeBytes, executable }: OpaqueProject['files'][number]) =>
    sizeBytes >= OWN_LAYER_BYTES && !executable;
  const layers: PlacedLayer[] = [];
  for (const file of project.files.filter(alone)) {
    const { path, place, digest, name } = file;
    const layer = await modelFileLayer(layout, cacheDir, path, { file: place, digest }, mtimeS);
    const reused = layer.reused && !options.written?.has(layer.descriptor.digest);
    layers.push({ ...layer, reused, kind: 'model', contents: name });
  }
  const rest = project.files.filter((file) => !alone(file));
  const [only, second] = rest;
  if (only === undefined) return layers;
  const told = rest.map(({ place, digest, executable }) => `${place} ${digest} ${executable}`);
  const hash = createHash('sha256')
    .update([project.target, ...told].join('\n'))
    .digest('hex');
  const key = [LAYER_FORMAT, 'opaque model', mtimeS, hash].join('\n');
  const layer = await cachedLayer(layout, join(cacheDir, 'layers'), key, () =>
    writeLayer(layout, rest.map(entryOf), { compression: 'none', mtimeS, inside: modelFilePath(project.target) }),
  );
  return [...layers, { ...layer, kind: 'model', contents: second ? `${rest.length} files` : only.name }];
}

function entryOf({ path, place, digest, sizeBytes, executable }: OpaqueProject['files'][number]): TarEntry {
  return {
    path: modelFilePath(place),
    type: 'file',
    mode: executable ? 0o755 : 0o644,
    content: { path, size: sizeBytes, onDigest: (found) => requireSame(path, found, digest) },
  };
}
