import { InlayError } from '../error/index.ts';
import type { Platform } from './oci/schema.ts';

const ARCHITECTURES = ['amd64', 'arm64'] as const;

export function platformName(platform: Platform): string {
  return `${platform.os}/${platform.architecture}`;
}

/** `linux/amd64` or `linux/arm64`. @throws PLATFORM_UNSUPPORTED */
export function parsePlatform(text: string): Platform {
  const architecture = ARCHITECTURES.find((known) => text === `linux/${known}`);
  if (architecture) return { architecture, os: 'linux' };
  throw new InlayError('PLATFORM_UNSUPPORTED', `no image can be built for ${text}`, {
    hint: `Platforms: ${ARCHITECTURES.map((a) => `linux/${a}`).join(', ')}.`,
  });
}

/** What containers on this machine run: Linux on its own architecture. @param arch as `process.arch` names it */
export function hostPlatform(arch: string): Platform {
  return parsePlatform(`linux/${arch === 'x64' ? 'amd64' : arch}`);
}
