// Images in a registry in memory, as inlay and others build them.
import { MEDIA_TYPE } from '../../src/image/index.ts';
import { Catalogue } from '../../src/inventory/index.ts';
import { parseReference, pushImage, RegistryReader } from '../../src/registry/index.ts';
import { FakeRegistry } from '../registry/fake-registry.ts';
import { bytesOf, World } from '../registry/world.ts';

export class InventoryWorld {
  readonly world = new World();
  readonly registry: FakeRegistry;
  #caches = 0;

  private constructor(registry: FakeRegistry) {
    this.registry = registry;
  }

  static async start(): Promise<InventoryWorld> {
    return new InventoryWorld(await FakeRegistry.start());
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    await this.world.remove();
  }

  catalogue(cache = `cache-${this.#caches++}`): Catalogue {
    const registry = this.world.registry();
    return new Catalogue({
      reader: new RegistryReader(registry),
      cacheDir: `${this.world.dir}/${cache}`,
      layerBytes: 1e9,
    });
  }

  /** Pushes an image of an inlay. @returns its digests, and its name */
  async inlayImage(name: string, version: string, libraries: Record<string, string> = { onnxruntime: '1.30.0' }) {
    return this.image(`ml/${name}:${version}`, {
      Labels: {
        'org.opencontainers.image.title': name,
        'org.opencontainers.image.version': version,
        'inlay.version': '0.1.0',
        'inlay.task': 'classification',
        'inlay.model.digest': `sha256:${'a'.repeat(64)}`,
        'inlay.inputs': '[{"name":"x","datatype":"FP32","shape":[-1,4]}]',
        'inlay.outputs': '[]',
        'inlay.os': 'debian 12',
        'inlay.libraries': JSON.stringify(libraries),
      },
    });
  }

  async image(
    path: string,
    config: object,
    layer: { readonly bytes: Uint8Array; readonly mediaType: string } = {
      bytes: bytesOf(path, 1000),
      mediaType: MEDIA_TYPE.layer,
    },
  ) {
    const layout = await this.world.layout();
    const put = await layout.putBytes(layer.bytes, layer.mediaType);
    const configured = await layout.putJson(
      {
        architecture: 'amd64',
        os: 'linux',
        config: { ...config, WorkingDir: `/${path}` },
        rootfs: { type: 'layers', diff_ids: [put.digest] },
      },
      MEDIA_TYPE.config,
    );
    const manifest = await layout.putJson(
      { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config: configured, layers: [put] },
      MEDIA_TYPE.manifest,
    );
    const index = await layout.putJson(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.index,
        manifests: [{ ...manifest, platform: { architecture: 'amd64', os: 'linux' } }],
      },
      MEDIA_TYPE.index,
    );
    const name = `${this.registry.host}/${path}`;
    await layout.tag(name, index);
    await pushImage({ registry: this.world.registry(), layout, source: name, to: parseReference(name), force: true });
    return { name, index: index.digest, manifest: manifest.digest, config: configured.digest };
  }
}
