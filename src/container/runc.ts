import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onRootFs } from './held-root-fs.ts';
import { commandOf, environmentOf, userOf } from './image-process.ts';
import { runcSpec } from './runc-spec.ts';
import type { Start, Started } from './running.ts';

/** What container engines leave to root by default (Docker, "Runtime privilege and Linux capabilities"), but for raw packets and devices. */
const USUAL_CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'NET_BIND_SERVICE',
].map((name) => `CAP_${name}`);

/** Starts an image with runc, as root. */
export function startRunc(start: Start): Promise<Started> {
  return onRootFs(start, true, (rootfs, held) => startOn(rootfs, held, start));
}

async function startOn(rootfs: string, held: number, start: Start): Promise<Started> {
  const { image, processEnv } = start;
  const id = `inlay-${randomUUID()}`;
  const bundle = join(start.stateDir, 'runc', id);
  const state = join(start.stateDir, 'runc', 'state');
  const spec = runcSpec({
    rootfs,
    args: commandOf(image.config, image.reference),
    // The network is the machine's: the server itself must take the port, and on loopback only.
    // Where 8001 is in use, it does without gRPC: nobody asked for it here.
    env: environmentOf(image.config, { GRPC_PORT: '', ...start.env, HOST: '127.0.0.1', PORT: String(start.port) }),
    cwd: image.config.config.WorkingDir || '/',
    ...(await userOf(image.config, rootfs)),
    capabilities: start.foreign ? USUAL_CAPABILITIES : [],
    limits: start.limits,
    cgroupsPath: `/${id}`,
  });
  await mkdir(bundle, { recursive: true });
  await writeFile(join(bundle, 'config.json'), JSON.stringify(spec));
  const runc = (...args: string[]) => ['runc', '--root', state, ...args];
  const quietly = async (...args: string[]) =>
    void (await Bun.spawn(runc(...args), {
      env: { ...processEnv },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    }).exited);
  // runc keeps it to itself: the container does not get it.
  const child = Bun.spawn(runc('run', '--bundle', bundle, id), {
    env: { ...processEnv },
    stdio: ['ignore', 'pipe', 'pipe', held],
  });
  return {
    child,
    notes: start.foreign
      ? [
          `it shares the network of this machine, and is told PORT=${start.port}; a server that does not read that listens where it always does`,
          'its root file system is read-only but for /tmp',
        ]
      : ['it shares the network of this machine and listens on 127.0.0.1 only'],
    terminate: () => quietly('kill', id, 'TERM'),
    kill: () => quietly('kill', id, 'KILL'),
    clean: async () => {
      await quietly('delete', '--force', id);
      await rm(bundle, { recursive: true, force: true });
    },
  };
}
