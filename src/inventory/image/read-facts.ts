import {
  type DescribedImage,
  type Descriptor,
  describeImage,
  type ImageConfig,
  readImagePackages,
} from '../../image/index.ts';
import type { ImageEntry, RegistryReader } from '../../registry/index.ts';
import { type Origin, originOf } from '../../supply/index.ts';
import type { ImageFacts } from './facts.ts';

/** An image's facts from its manifests, config and what is attached; no layer is read. @throws those of registries; IMAGE_INVALID */
export async function readFacts(reader: RegistryReader, entry: ImageEntry): Promise<ImageFacts> {
  const [first] = entry.platforms;
  if (!first) throw new TypeError(`${entry.repository}@${entry.root.digest} has no platform`);
  const [config, attached] = await Promise.all([
    reader.config(entry, first.manifest.config),
    readAttached(reader, entry),
  ]);
  const described = describeImage(first.manifest, config);
  const { contract } = described;
  return {
    schemaVersion: 1,
    digest: entry.root.digest,
    repository: `${entry.registry}/${entry.repository}`,
    platforms: entry.platforms.map(({ descriptor, manifest }) => ({
      platform: descriptor.platform
        ? `${descriptor.platform.os}/${descriptor.platform.architecture}`
        : described.platform,
      manifest: descriptor.digest,
      config: manifest.config.digest,
    })),
    builtBy: contract ? 'inlay' : 'other',
    model: contract
      ? { name: contract.name, version: contract.version, digest: contract.model.digest, format: contract.format }
      : null,
    task: contract?.task ?? null,
    inputs: tensorsOf(contract?.inputs),
    outputs: tensorsOf(contract?.outputs),
    labels: contract?.labels ? [...contract.labels] : null,
    owner: contract?.owner ?? ownerLabel(config),
    os: contract ? described.os : null,
    libraries: { ...described.libraries },
    inlay: described.inlay ?? null,
    created: createdOf(config),
    sizeBytes: described.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    layers: described.layers.map(({ kind, digest, sizeBytes }) => ({ kind, digest, sizeBytes })),
    python: isPython(config),
    packages: contract && Object.keys(described.libraries).length > 0 ? 'labels' : 'unread',
    attached,
  };
}

type Tensors = ImageFacts['inputs'];

function tensorsOf(value: DescribedImage['layers'] | unknown): Tensors {
  if (!Array.isArray(value)) return null;
  const tensors = value.filter(
    (one): one is { name: string; datatype: string; shape: number[] } =>
      typeof one === 'object' && one !== null && 'name' in one && 'datatype' in one && 'shape' in one,
  );
  return tensors.length === value.length ? tensors : null;
}

/** A signature on the index is enough; what the index does not have is looked for at its platforms. */
export async function readAttached(reader: RegistryReader, entry: ImageEntry): Promise<ImageFacts['attached']> {
  let signed = false;
  let origin: Origin | undefined;
  for (const digest of new Set([entry.root.digest, ...entry.platforms.map(({ descriptor }) => descriptor.digest)])) {
    const attached = await reader.attached(entry, [digest]);
    signed ||= attached.some(({ kind }) => kind === 'signature');
    for (const one of attached) {
      if (origin !== undefined || one.kind !== 'provenance') continue;
      const bytes = await reader.document(entry, one.digest);
      origin = bytes && originOf(bytes);
    }
    if (signed && origin) break;
  }
  return { signed, source: origin?.source ?? null, trainingRun: origin?.trainingRun ?? null };
}

/** The epoch of a reproducible build tells nothing. */
function createdOf({ created }: ImageConfig): string | null {
  return created === undefined || Date.parse(created) <= 86_400_000 ? null : created;
}

function ownerLabel({ config }: ImageConfig): string | null {
  const labels = config.Labels ?? {};
  return labels['org.opencontainers.image.authors'] ?? labels.maintainer ?? null;
}

const PYTHON = /(^|[/ ])(python[\d.]*|uvicorn|gunicorn|hypercorn|waitress-serve|flask|streamlit|gradio)( |$)/;

function isPython({ config }: ImageConfig): boolean {
  const words = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(' ');
  return (config.Env ?? []).some((variable) => /^(PYTHON|CONDA|VIRTUAL_ENV)/.test(variable)) || PYTHON.test(words);
}

export interface PackageLimits {
  /** Compressed bytes of layers that are read of one image; what is beyond is left out. */
  readonly layerBytes: number;
}

/** Facts with the OS and the packages that the layers hold: for images that do not tell them in their labels. */
export async function withPackages(
  reader: RegistryReader,
  facts: ImageFacts,
  layers: readonly Descriptor[],
  { layerBytes }: PackageLimits,
): Promise<ImageFacts> {
  const chosen = within(layers, layerBytes);
  const [registry = '', ...path] = facts.repository.split('/');
  const place = { registry, repository: path.join('/') };
  const { os, packages, whole } = await readImagePackages(chosen, (layer) => reader.layer(place, layer));
  // Python's name what an engineer asks for; the base's are Debian's or Alpine's.
  const libraries = Object.fromEntries(
    [...packages]
      .sort((a, b) => Number(a.type === 'pypi') - Number(b.type === 'pypi'))
      .map(({ name, version }) => [name, version]),
  );
  return {
    ...facts,
    os: os.id === 'linux' ? facts.os : os.prettyName,
    libraries: { ...libraries, ...facts.libraries },
    packages: whole && chosen.length === layers.length ? 'layers' : 'part',
  };
}

/** The layers that fit, bottom first: the largest are left out, as weights are in them and not packages. */
function within(layers: readonly Descriptor[], limit: number): Descriptor[] {
  let left = limit;
  const fit = new Set<Descriptor>();
  for (const layer of [...layers].sort((a, b) => a.size - b.size)) {
    if (layer.size > left) break;
    left -= layer.size;
    fit.add(layer);
  }
  return layers.filter((layer) => fit.has(layer));
}
