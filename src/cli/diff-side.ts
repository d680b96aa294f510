import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiffSide } from '../check/index.ts';
import type { DescribedImage, OciLayout, Platform } from '../image/index.ts';
import type { Registry } from '../registry/index.ts';

/** One of the two that `diff` compares: a project's folder, or an image. */
export interface Side extends DiffSide {
  /** What an image stands on; a project has none of that yet. */
  readonly described?: DescribedImage | undefined;
  /** Removes what was unpacked. */
  readonly close: () => Promise<void>;
}

export interface Places {
  readonly registry: Registry;
  readonly layout: OciLayout;
  readonly platform: Platform;
  /** Where a model may be unpacked. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** @throws as readAnyProject and contractOfImage */
export async function openSide(text: string, places: Places): Promise<Side> {
  const { CONFIG_FILE } = await import('../contract/index.ts');
  return existsSync(join(text, CONFIG_FILE)) || text === '.' ? projectSide(text) : imageSide(text, places);
}

async function projectSide(dir: string): Promise<Side> {
  const { readAnyProject } = await import('../contract/index.ts');
  const project = await readAnyProject(dir);
  const close = async () => {};
  if (project.format === 'opaque') return { contract: project.contract, close };
  const { contract, modelPath, golden } = project;
  return { contract, model: { contract, modelPath, golden: golden?.cases }, close };
}

async function imageSide(reference: string, { registry, layout, platform, scratch, signal }: Places): Promise<Side> {
  const { isOpaque } = await import('../contract/index.ts');
  const { unpackModel } = await import('../image/index.ts');
  const { contractOfImage } = await import('../registry/index.ts');
  const { contract, described, digest, from } = await contractOfImage({
    registry,
    layout,
    reference,
    platform,
    signal,
  });
  if (isOpaque(contract) || from !== 'store') return { contract, described, close: async () => {} };
  const dir = await mkdtemp(join(scratch, 'inlay-diff-'));
  const close = () => rm(dir, { recursive: true, force: true });
  try {
    const { manifest } = await layout.resolve(digest, platform);
    if (!(await unpackModel(layout, manifest, dir))) return { contract, described, close };
    const { openGolden } = await import('../server/index.ts');
    const modelPath = join(dir, contract.model.file);
    return {
      contract,
      described,
      model: { contract, modelPath, golden: await openGolden(contract, modelPath) },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
