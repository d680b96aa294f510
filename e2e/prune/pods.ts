// Servers of many versions in a real cluster, whose images come from a registry of a test's own.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from '../release/world.ts';

/** Lets nodes speak plain HTTP to a registry. @returns takes that back */
export function trustOnNodes(host: string): () => void {
  const hosts = join(process.env.CLUSTER_DIR ?? '/tmp/inlay-cluster', 'hosts', host);
  mkdirSync(hosts, { recursive: true });
  writeFileSync(
    join(hosts, 'hosts.toml'),
    `server = "http://${host}"\n[host."http://${host}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  return () => rmSync(hosts, { recursive: true, force: true });
}

/** Of several versions each is a container of the pod, on a port of its own. */
export const podOf = (repository: string, versions: readonly string[]) => ({
  enableServiceLinks: false,
  terminationGracePeriodSeconds: 1,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: versions.map((version, i) => ({
    name: `server-${i}`,
    image: `${repository}:${version}`,
    imagePullPolicy: 'Always',
    env: [
      { name: 'PORT', value: String(8000 + 10 * i) },
      { name: 'GRPC_PORT', value: '0' },
    ],
    // Once its model is loaded and replayed.
    readinessProbe: { httpGet: { path: '/health/ready', port: 8000 + 10 * i }, periodSeconds: 1 },
    resources: { requests: { cpu: '10m', memory: '100Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  })),
});

export const deploymentOf = (name: string, pod: object, replicas = 1) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: pod },
  },
});

export async function apply(world: World, ...objects: object[]): Promise<void> {
  for (const object of objects)
    await world.cluster.kubectl(['-n', world.namespace, 'apply', '-f', '-'], JSON.stringify(object));
}

/** Starts a pod, and takes it away once all its servers are ready. */
export async function runsOnce(world: World, pod: object): Promise<void> {
  await apply(world, deploymentOf('kept', pod));
  await world.kubectl('rollout', 'status', 'deployment/kept', '--timeout=180s');
  await world.kubectl('delete', 'deployment', 'kept', '--wait');
}
