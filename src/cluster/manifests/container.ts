import type { V1Container, V1EnvVar, V1ResourceRequirements } from '@kubernetes/client-node';
import type { ServicePlan } from '../service.ts';
import { lifecycleOf } from './lifecycle.ts';
import { containerPorts, HTTP_PORT, portsOf } from './ports.ts';
import { probesOf } from './probes.ts';

/** The container with the server, in the pods of both roles. */
export const CONTAINER = 'server';
/** The one folder that can be written. */
export const TMP = { name: 'tmp', mountPath: '/tmp', sizeLimit: '64Mi' } as const;
/** /tmp, and the logs that the kubelet keeps (50 MiB by default). */
const EPHEMERAL_STORAGE = { request: '128Mi', limit: '256Mi' } as const;

export function containerOf(plan: ServicePlan): V1Container {
  const { image } = plan;
  return {
    name: CONTAINER,
    image: image.reference,
    // A digest never changes, so what a node has need not be asked for: pods start while the registry is away.
    imagePullPolicy: 'IfNotPresent',
    ports: containerPorts(plan),
    env: envOf(plan),
    resources: resourcesOf(plan),
    ...probesOf(image.contract),
    lifecycle: { preStop: { sleep: { seconds: lifecycleOf(plan).preStopS } } },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: TMP.name, mountPath: TMP.mountPath }],
  };
}

/** The limit of CPU is the request: the server makes as many threads as the limit allows, and shares no node's spare time. */
function resourcesOf({ image }: ServicePlan): V1ResourceRequirements {
  const { cpu, memory } = image.contract.server;
  return {
    requests: { cpu, memory, 'ephemeral-storage': EPHEMERAL_STORAGE.request },
    limits: { cpu, memory, 'ephemeral-storage': EPHEMERAL_STORAGE.limit },
  };
}

/** What the manifests promise is said to the server; then what `deploy.env` adds, by name. */
function envOf(plan: ServicePlan): V1EnvVar[] {
  const { drainS, maxDrainS, connectionAgeS } = lifecycleOf(plan);
  const own = {
    PORT: String(HTTP_PORT),
    GRPC_PORT: String(portsOf(plan).find(({ name }) => name === 'grpc')?.port ?? 0),
    DRAIN_S: String(drainS),
    MAX_DRAIN_S: String(maxDrainS),
    MAX_CONNECTION_AGE_S: String(connectionAgeS),
  };
  const more = Object.entries(plan.deploy.env).filter(([name]) => !(name in own));
  return [...Object.entries(own), ...more.sort(([a], [b]) => (a < b ? -1 : 1))].map(([name, value]) => ({
    name,
    value,
  }));
}
