import type { V1ContainerPort, V1ServicePort } from '@kubernetes/client-node';
import type { ServicePlan } from '../service.ts';

/** REST, health, metrics and the pages. */
export const HTTP_PORT = 8000;
/** The Open Inference Protocol over gRPC. */
export const GRPC_PORT = 8001;

export interface Port {
  readonly name: string;
  readonly port: number;
  /** What is spoken, as a Service says it (KEP-3726); gRPC here is HTTP/2 without TLS. */
  readonly appProtocol: string;
}

/** The ports that the server listens on; `GRPC_PORT: 0` in `deploy.env` takes gRPC off. */
export function portsOf({ deploy }: ServicePlan): readonly Port[] {
  const http = { name: 'http', port: HTTP_PORT, appProtocol: 'http' };
  const grpc = { name: 'grpc', port: GRPC_PORT, appProtocol: 'kubernetes.io/h2c' };
  return deploy.env.GRPC_PORT === '0' ? [http] : [http, grpc];
}

export function containerPorts(plan: ServicePlan): V1ContainerPort[] {
  return portsOf(plan).map(({ name, port }) => ({ name, containerPort: port, protocol: 'TCP' }));
}

export function servicePorts(plan: ServicePlan): V1ServicePort[] {
  return portsOf(plan).map(({ name, port, appProtocol }) => ({
    name,
    port,
    targetPort: name,
    protocol: 'TCP',
    appProtocol,
  }));
}
