import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InlayError } from '../error/index.ts';
import { interpreterOf } from './elf.ts';
import { onRootFs } from './held-root-fs.ts';
import { commandOf, environmentOf } from './image-process.ts';
import { resolveInside } from './root-fs.ts';
import type { Start, Started } from './running.ts';

/**
 * Starts an image's program as a process of this machine, with the image's own dynamic loader, libraries, files and
 * environment, so that what answers is what the image holds.
 */
export function startProcess(start: Start): Promise<Started> {
  return onRootFs(start, false, (rootfs, held) => startOn(rootfs, held, start));
}

async function startOn(rootfs: string, held: number, start: Start): Promise<Started> {
  const { image } = start;
  const inside = (value: string) =>
    value.startsWith('/') && existsSync(join(rootfs, value)) ? join(rootfs, value) : value;
  const [program = '', ...args] = commandOf(image.config, image.reference).map(inside);
  if (!existsSync(program))
    throw new InlayError('IMAGE_INVALID', `${image.reference} starts ${program}, which it does not hold`);
  const env = environmentOf(image.config, { GRPC_PORT: '', ...start.env, HOST: '127.0.0.1', PORT: String(start.port) });
  const loader = await loaderOf(program, rootfs);
  const child = Bun.spawn([...loader, program, ...args], {
    env: Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        name === 'PATH' ? value.split(':').map(inside).join(':') : inside(value),
      ]),
    ),
    cwd: inside(image.config.config.WorkingDir || '/'),
    stdio: ['ignore', 'pipe', 'pipe', held],
  });
  return {
    child,
    notes: [
      'it runs as a plain process on the files of the image: as your user, not as the image’s',
      'its root file system is this machine’s, and not read-only; CPU and memory limits are not enforced',
    ],
    terminate: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
    clean: () => {},
  };
}

/** The image's dynamic loader, told to take libraries from the image only; nothing for a static program. */
async function loaderOf(program: string, rootfs: string): Promise<string[]> {
  const interpreter = await interpreterOf(program);
  if (interpreter === undefined) return [];
  const loader = await inRoot(rootfs, interpreter);
  const folders: string[] = [];
  for (const multiarch of ['x86_64-linux-gnu', 'aarch64-linux-gnu', '']) {
    for (const folder of ['lib', 'usr/lib', 'lib64', 'usr/lib64']) {
      const path = await inRoot(rootfs, join('/', folder, folder.endsWith('64') ? '' : multiarch));
      if (existsSync(path) && !folders.includes(path)) folders.push(path);
    }
  }
  return [loader, '--library-path', folders.join(':')];
}

async function inRoot(rootfs: string, path: string): Promise<string> {
  return join(rootfs, ...(await resolveInside(rootfs, path.split('/'), path)));
}
