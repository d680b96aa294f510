import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Descriptor, manifestSchema } from '../image/index.ts';
import { downloadBlob } from './blob/download.ts';
import { requireManifest } from './manifest/manifests.ts';
import { jsonOf } from './manifest/tags.ts';
import { type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';

export interface ArtifactFile {
  /** The layer's title: a path relative to the artifact, as whoever pushed it wrote it. */
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface FetchedArtifact {
  /** Of its manifest. */
  readonly digest: string;
  readonly artifactType: string | undefined;
  readonly files: readonly ArtifactFile[];
}

/** The name of a layer's file (image-spec, annotations.md), and ORAS's mark of one that is a packed folder. */
const TITLE = 'org.opencontainers.image.title';
const UNPACK = 'io.deis.oras.content.unpack';

/**
 * What an artifact of files holds, as ORAS pushes one: a manifest with a layer a file, named by its title.
 * @throws REGISTRY_NOT_FOUND, IMAGE_INVALID for what is no artifact of files
 */
export async function openArtifact(options: {
  readonly registry: Registry;
  readonly from: ImageReference;
  readonly signal?: AbortSignal | undefined;
}): Promise<
  FetchedArtifact & { readonly download: (file: ArtifactFile, into: string, name: string) => Promise<void> }
> {
  const { registry, from, signal } = options;
  const repository = registry.open(from, { actions: ['pull'], signal });
  const identifier = identifierOf(from);
  const manifest = await requireManifest(repository, identifier);
  const refuse = (why: string, hint: string) => {
    throw repository.failure('IMAGE_INVALID', `reading ${identifier}`, why, { hint });
  };
  const layers: readonly Descriptor[] = manifestSchema.safeParse(jsonOf(manifest.bytes)).data?.layers ?? [];
  if (manifest.manifests.length > 0 || layers.length === 0)
    refuse('it is no artifact of files', 'Push the model with oras push REGISTRY/REPOSITORY:TAG model.onnx.');
  const files = layers.map(({ digest, size, annotations }, i): ArtifactFile => {
    const name = annotations?.[TITLE];
    if (name === undefined || name === '')
      refuse(
        `its layer ${i} has no title, so it is no file`,
        `An image is run, not fetched; oras push titles its layers (${TITLE}).`,
      );
    if (annotations?.[UNPACK] === 'true')
      refuse(`${name} is a packed folder`, 'Push the files of the folder, not the folder.');
    return { name: name ?? '', digest, sizeBytes: size };
  });
  return {
    digest: manifest.descriptor.digest,
    artifactType: manifest.artifactType,
    files,
    download: async ({ digest, sizeBytes }, into, name) => {
      await mkdir(dirname(join(into, name)), { recursive: true });
      await downloadBlob(repository, { digest, size: sizeBytes }, join(into, name), { temporaryDir: into });
    },
  };
}
