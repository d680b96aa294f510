import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import { inlayHome } from '../home.ts';
import { createOutput, EXIT } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY } from '../registry.ts';
import { haveWhole } from '../whole-image.ts';

export function addRun(program: Command): void {
  program
    .command('run')
    .summary('start a built image on this machine')
    .description(
      'Starts an image of the local store, pulled where it is not there: with docker, podman or nerdctl where they are, else with runc as root, else as a plain process on the files of the image. Ends with Ctrl-C.',
    )
    .argument('<image>', 'the image, as inlay build names it, or in a registry')
    .option(
      '--engine <name>',
      'what to run it with: docker, podman, nerdctl, runc or process (default: the first that works)',
    )
    .option('--port <number>', 'port on 127.0.0.1; 0 takes a free one', '8000')
    .option(
      '--container-port <number>',
      'with docker, podman and nerdctl: the port inside (default: as the image says)',
    )
    .option('--cpus <number>', 'CPU limit, for example 0.5')
    .option('--memory <quantity>', 'memory limit, for example 300Mi')
    .option('--env <NAME=VALUE...>', "add to the image's environment")
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .action(async (image, options) => {
      const { ENGINES, runImage, waitReady } = await import('../../container/index.ts');
      const { hostPlatform, OciLayout, storeDir } = await import('../../image/index.ts');
      const home = inlayHome(process.env);
      const engine = options.engine === undefined ? undefined : ENGINES.find((known) => known === options.engine);
      if (options.engine !== undefined && engine === undefined)
        throw new InlayError('USAGE', `no engine ${options.engine}`, { hint: `Choose one of ${ENGINES.join(', ')}.` });
      const cpus = options.cpus === undefined ? undefined : quantity('--cpus', options.cpus);
      const memoryBytes = options.memory === undefined ? undefined : quantity('--memory', options.memory);
      const layout = await OciLayout.open(storeDir(home));
      await haveWhole(layout, image, options, createOutput(false));
      const running = await runImage({
        layout,
        reference: image,
        platform: hostPlatform(process.arch),
        port: quantity('--port', options.port),
        containerPort:
          options.containerPort === undefined ? undefined : quantity('--container-port', options.containerPort),
        env: environment(options.env ?? []),
        limits: { ...(cpus === undefined ? {} : { cpus }), ...(memoryBytes === undefined ? {} : { memoryBytes }) },
        ...(engine === undefined ? {} : { engine }),
        stateDir: join(home, 'run'),
        processEnv: process.env,
        onOutput: (line, stream) => void process[stream].write(`${line}\n`),
      });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void running.stop());
      for (const note of running.notes) process.stderr.write(`note: ${note}\n`);
      await waitReady(running, { timeoutMs: 60_000 });
      process.stdout.write(`${image} runs with ${running.engine} at ${running.url}\n`);
      const code = await running.exited;
      if (code !== 0) {
        process.stderr.write(`error CONTAINER_FAILED: ${image} ended with exit code ${code}\n`);
        process.exitCode = EXIT.outside;
      }
    });
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** A Kubernetes quantity. */
function quantity(option: string, text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi)?$/.exec(text) ?? [];
  if (number === undefined)
    throw new InlayError('USAGE', `${option} ${text}: expected a number`, { hint: 'For example 8000, 0.5 or 300Mi.' });
  return Number(number) * (UNITS[unit] ?? 1);
}

function environment(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new InlayError('USAGE', `--env ${pair}: expected NAME=VALUE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
