import { LABEL_PREFIX } from './facts.ts';
import type { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, ImageConfig, ImageManifest, Platform } from './oci/schema.ts';
import { SERVER_DIR } from './server-layer.ts';
import type { PlacedLayer } from './shared-layers.ts';

export interface ImageParts {
  readonly platform: Platform;
  readonly layers: readonly PlacedLayer[];
  /** Added to the server's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly epochS: number;
}

/** Writes config and manifest of one platform's image, in a fixed order and without a clock. */
export async function putImage(layout: OciLayout, parts: ImageParts): Promise<Descriptor> {
  const { platform, layers, labels, annotations } = parts;
  const created = new Date(parts.epochS * 1000).toISOString().replace('.000Z', 'Z');
  const config: ImageConfig = {
    created,
    architecture: platform.architecture,
    os: platform.os,
    config: {
      User: '65532:65532',
      ExposedPorts: { '8000/tcp': {}, '8001/tcp': {} },
      Env: Object.entries({ ...serverEnvironment, ...parts.env }).map(([name, value]) => `${name}=${value}`),
      Entrypoint: ['/opt/inlay/bin/bun', '--no-env-file', '--no-install', `${SERVER_DIR}/main.js`],
      WorkingDir: parts.workingDir,
      Labels: { ...labels },
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((layer) => ({ created, created_by: `inlay ${layer.kind}`, comment: layer.contents })),
  };
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await layout.putJson(config, MEDIA_TYPE.config),
    layers: layers.map((layer) => ({ ...layer.descriptor, annotations: { [`${LABEL_PREFIX}layer`]: layer.kind } })),
    annotations: { ...annotations },
  };
  return { ...(await layout.putJson(manifest, MEDIA_TYPE.manifest)), platform };
}

/** The environment of every image; the model adds its own paths. */
const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: '/opt/inlay/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOST: '0.0.0.0',
  PORT: '8000',
  GRPC_PORT: '8001',
  LOG_LEVEL: 'INFO',
  LOG_FORMAT: 'TEXT',
  // ONNX Runtime would write a device id and report to its maker.
  ORT_DISABLE_TELEMETRY: '1',
  // The root file system is read-only, and nothing is compiled twice.
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
};
