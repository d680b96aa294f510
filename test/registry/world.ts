// What the tests of the registry client share: images to push, options that wait for nothing.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { parseReference, Registry, type RegistryOptions } from '../../src/registry/index.ts';

export class World {
  readonly dir = mkdtempSync(join(tmpdir(), 'inlay-registry-'));
  /** Every wait that a retry would have taken, milliseconds. */
  readonly slept: number[] = [];
  nowMs = 1_700_000_000_000;
  #layouts = 0;
  readonly #registries: Registry[] = [];

  async remove(): Promise<void> {
    for (const registry of this.#registries) await registry[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }

  options(more: Partial<RegistryOptions> = {}): RegistryOptions {
    return {
      env: {},
      homeDir: this.dir,
      idleTimeoutMs: 5000,
      clock: {
        now: () => this.nowMs,
        random: () => 0.5,
        sleep: async (ms) => {
          this.slept.push(ms);
          this.nowMs += ms;
        },
      },
      ...more,
    };
  }

  registry(more: Partial<RegistryOptions> = {}): Registry {
    const registry = new Registry(this.options(more));
    this.#registries.push(registry);
    return registry;
  }

  layout(): Promise<OciLayout> {
    return OciLayout.open(join(this.dir, `layout-${this.#layouts++}`));
  }

  /** The layers that models share, the same for all worlds. */
  readonly shared = [bytesOf('base', 300_000), bytesOf('runtime', 2_000_000), bytesOf('server', 100_000)];

  /** Builds an image of three shared layers and the model's, named `name`. @returns its digests */
  async image(layout: OciLayout, name: string, model: Uint8Array, platforms: readonly string[] = ['amd64']) {
    const layers: { mediaType: string; digest: string; size: number }[] = [];
    for (const bytes of [...this.shared, model]) layers.push(await layout.putBytes(bytes, MEDIA_TYPE.layer));
    const manifests = [];
    for (const architecture of platforms) {
      const config = await layout.putJson(
        {
          architecture,
          os: 'linux',
          config: { Labels: { name } },
          rootfs: { type: 'layers', diff_ids: layers.map((l) => l.digest) },
        },
        MEDIA_TYPE.config,
      );
      const manifest = await layout.putJson(
        { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers },
        MEDIA_TYPE.manifest,
      );
      manifests.push({ ...manifest, platform: { architecture, os: 'linux' } });
    }
    const index = await layout.putJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }, MEDIA_TYPE.index);
    await layout.tag(name, index);
    return {
      digest: index.digest,
      modelDigest: layers[3]?.digest as string,
      manifest: manifests[0]?.digest as string,
      layers: layers.map((l) => l.digest),
    };
  }
}

export const ref = parseReference;

export function bytesOf(seed: string, size: number): Uint8Array {
  const block = createHash('sha512').update(seed).digest();
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = ((block[i % 64] as number) + (i >> 6)) & 255;
  return bytes;
}

export const model = (size = 50_000): Uint8Array => new Uint8Array(randomBytes(size));
