import type { Command } from '@commander-js/extra-typings';
import type { Kube, Role } from '../../cluster/index.ts';
import { InlayError, isInlayError } from '../../error/index.ts';
import { CONTEXT, NAMESPACE, serviceOf, withCluster } from '../cluster.ts';
import { createOutput } from '../output.ts';

export function addLogs(program: Command): void {
  program
    .command('logs')
    .summary('what the pods of a service say')
    .description('Prints the log lines of all pods of a service, each line behind its pod’s name.')
    .argument('[service]', "the service's name (default: that of inlay.yaml here)")
    .option('--role <role>', 'stable or canary alone')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--tail <lines>', 'so many lines of each pod', '100')
    .option('--previous', 'of the containers before their last restart')
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .action(async (name, options) => {
      const { observeService, podLog, followLog } = await import('../../cluster/index.ts');
      const tailLines = /^\d{1,6}$/.test(options.tail) ? Number(options.tail) : Number.NaN;
      if (Number.isNaN(tailLines)) throw new InlayError('USAGE', `--tail ${options.tail}: expected a number of lines`);
      const roles = rolesOf(options.role);
      const { service, namespace } = await serviceOf(name);
      await withCluster({ ...options, namespace: options.namespace ?? namespace }, async (kube, inside) => {
        const workloads = await observeService(kube, inside, service);
        const pods = roles.flatMap((role) => workloads[role].pods.map(({ metadata }) => metadata.name));
        if (pods.length === 0)
          throw new InlayError('SERVICE_NOT_FOUND', `${service} has no pods in ${inside} of ${kube.context}`, {
            hint: 'Check the name, --context and --namespace.',
          });
        const print = (pod: string, line: string) => process.stdout.write(`${pod}  ${line}\n`);
        const asked = { tailLines, ...(options.previous ? { previous: true } : {}) };
        await Promise.all(
          pods.map(async (pod) => {
            try {
              if (options.follow) for await (const line of followLog(kube, inside, pod, asked)) print(pod, line);
              if (options.follow) return;
              for (const line of (await podLog(kube, inside, pod, asked)).split('\n'))
                if (line !== '') print(pod, line);
            } catch (error) {
              // A container that has not begun has no log, nor has a pod that is gone; the others have.
              const none =
                isInlayError(error) && (error.code === 'CLUSTER_REFUSED' || error.code === 'CLUSTER_NOT_FOUND');
              if (!none) throw error;
              process.stderr.write(`${pod}  ${error.message}\n`);
            }
          }),
        );
      });
    });
}

export function addForward(program: Command): void {
  program
    .command('forward')
    .summary("a port of this machine that leads to a service's pod")
    .description(
      'Forwards a local port to a ready pod, through the API server, and names the pages that are there: docs, playground, metrics.',
    )
    .argument('[service]', "the service's name (default: that of inlay.yaml here)")
    .option('--role <role>', 'stable or canary', 'stable')
    .option('--port <port>', 'the local port; 0 takes a free one', '8000')
    .option('--grpc', 'lead to gRPC (8001) instead of HTTP (8000)')
    .option(...CONTEXT)
    .option(...NAMESPACE)
    .option('--json', 'print one JSON document')
    .action(async (name, options) => {
      const { forwardPort, GRPC_PORT, HTTP_PORT } = await import('../../cluster/index.ts');
      const port = /^\d{1,5}$/.test(options.port) && Number(options.port) < 65_536 ? Number(options.port) : Number.NaN;
      if (Number.isNaN(port)) throw new InlayError('USAGE', `--port ${options.port}: expected a port from 0 to 65535`);
      const [role] = rolesOf(options.role);
      const { service, namespace } = await serviceOf(name);
      await withCluster({ ...options, namespace: options.namespace ?? namespace }, async (kube, inside) => {
        const pod = await readyPod(kube, inside, service, role as Role);
        const forward = await forwardPort(
          kube,
          { namespace: inside, pod, port: options.grpc ? GRPC_PORT : HTTP_PORT },
          port,
        );
        const { url } = forward;
        createOutput(options.json === true).result(
          `${url} leads to ${pod}${options.grpc ? '' : `\ndocs        ${url}/docs\nplayground  ${url}/`}`,
          { url, pod },
        );
        await new Promise<void>((resolve) => {
          if (kube.signal?.aborted) resolve();
          kube.signal?.addEventListener('abort', () => resolve());
        });
        await forward.close();
      });
    });
}

async function readyPod(kube: Kube, namespace: string, service: string, role: Role): Promise<string> {
  const { isReady, observeService } = await import('../../cluster/index.ts');
  const workloads = await observeService(kube, namespace, service);
  const pod = workloads[role].pods.find(isReady);
  if (pod) return pod.metadata.name;
  throw new InlayError(
    'SERVICE_NOT_FOUND',
    `${service} has no ready pod of role ${role} in ${namespace} of ${kube.context}`,
    {
      hint: 'inlay status tells why.',
    },
  );
}

/** @throws USAGE */
function rolesOf(role: string | undefined): Role[] {
  if (role === undefined) return ['stable', 'canary'];
  if (role === 'stable' || role === 'canary') return [role];
  throw new InlayError('USAGE', `--role ${role}: expected stable or canary`);
}
