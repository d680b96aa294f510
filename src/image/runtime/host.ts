import { join } from 'node:path';
import { InlayError } from '../../error/index.ts';
import { fileName, type NpmOptions, type Source, unpackOnce, versionOf } from './npm-tarball.ts';

/** A machine, in Node's words. */
export interface Host {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

/** Those that onnxruntime-node has files for and inlay runs on. */
const HOSTS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

/**
 * ONNX Runtime for this machine, from npm's registry as the user has configured it, held to the integrity that runtime-lock.json pins:
 * what an installed inlay checks and serves models with. Of the package's 288 MB only the files of this machine are kept, in the cache.
 * @returns the folder of the package onnxruntime-node, onnxruntime-common beside it
 * @throws RUNTIME_UNAVAILABLE, INTEGRITY_MISMATCH, PLATFORM_UNSUPPORTED
 */
export async function installOnnxRuntime(
  options: NpmOptions,
  { platform, arch }: Host = { platform: process.platform, arch: process.arch },
): Promise<string> {
  const host = `${platform}-${arch}`;
  if (!HOSTS.includes(host))
    throw new InlayError('PLATFORM_UNSUPPORTED', `there is no ONNX Runtime for ${host}`, {
      hint: `Models can be checked and served on ${HOSTS.join(', ')}.`,
    });
  const name = 'onnxruntime-node';
  const dir = join(options.cacheDir, 'runtime', `${fileName(name)}-${versionOf(name)}-${host}`);
  await unpackOnce(dir, [files(name, `|bin/napi-v6/${platform}/${arch}/.+`), files('onnxruntime-common', '')], options);
  return join(dir, 'node_modules', name);
}

function files(name: string, more: string): Source {
  const wanted = new RegExp(`^(package\\.json|dist/.+\\.(js|json)|LICENSE.*|ThirdPartyNotices.*${more})$`);
  return { name, place: (path) => (wanted.test(path) ? `node_modules/${name}/${path}` : undefined) };
}
