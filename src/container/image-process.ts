import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InlayError } from '../error/index.ts';
import type { ImageConfig } from '../image/index.ts';

/** The command of an image. @throws IMAGE_INVALID when it has none */
export function commandOf(config: ImageConfig, reference: string): string[] {
  const command = [...(config.config.Entrypoint ?? []), ...(config.config.Cmd ?? [])];
  if (command.length === 0) throw new InlayError('IMAGE_INVALID', `${reference} has neither Entrypoint nor Cmd`);
  return command;
}

/** The environment of an image, with `added` on top. */
export function environmentOf(config: ImageConfig, added: Readonly<Record<string, string>>): Record<string, string> {
  const own = (config.config.Env ?? []).map(
    (pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const,
  );
  return { ...Object.fromEntries(own), ...added };
}

/**
 * The numeric user and group of an image (`User` of the OCI image configuration: `uid`, `uid:gid`, or names that are
 * looked up in the image).
 * @throws IMAGE_INVALID for a name that the image does not know
 */
export async function userOf(config: ImageConfig, rootfs: string): Promise<{ uid: number; gid: number }> {
  const [user = '', group = ''] = (config.config.User ?? '').split(':');
  const lookUp = async (file: string, name: string) => {
    const lines = (await readFile(join(rootfs, 'etc', file), 'utf8').catch(() => ''))
      .split('\n')
      .map((line) => line.split(':'));
    const found = lines.find((fields) => fields[0] === name || (file === 'passwd' && fields[2] === name));
    return found ? { id: Number(found[2]), gid: Number(found[3]) } : undefined;
  };
  const known = user === '' ? { id: 0, gid: 0 } : await lookUp('passwd', user);
  const uid = /^\d+$/.test(user) ? Number(user) : known?.id;
  const gid =
    group === '' ? (known?.gid ?? 0) : /^\d+$/.test(group) ? Number(group) : (await lookUp('group', group))?.id;
  if (uid === undefined || gid === undefined)
    throw new InlayError(
      'IMAGE_INVALID',
      `the image runs as ${config.config.User}, whom its /etc/passwd and /etc/group do not know`,
    );
  return { uid, gid };
}

/** Ports that servers speak HTTP on, where an image exposes several. */
const USUAL = [8000, 8080, 80];

/** The port that another's server most likely speaks HTTP on: what PORT says, else of the exposed ones a usual one or the highest. */
export function portOf({ config }: ImageConfig): number {
  const told = config.Env?.map((pair) => /^PORT=(\d{1,5})$/.exec(pair)?.[1]).find((port) => port !== undefined);
  if (told !== undefined) return Number(told);
  const exposed = Object.keys(config.ExposedPorts ?? {})
    .filter((port) => /^\d+(\/tcp)?$/.test(port))
    .map((port) => Number.parseInt(port, 10));
  return USUAL.find((port) => exposed.includes(port)) ?? (exposed.length > 0 ? Math.max(...exposed) : 8000);
}
