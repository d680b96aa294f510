import { z } from 'zod';
import { type Kube, RESOURCES } from '../../cluster/index.ts';
import { isInlayError } from '../../error/index.ts';

const schema = z.object({ metadata: z.object({ uid: z.string() }) });

/**
 * What tells clusters apart: the UID of the namespace kube-system, which lives as long as the cluster. Who may not read that knows a
 * cluster by its address.
 * @throws CLUSTER_UNREACHABLE, KUBECONFIG_INVALID
 */
export async function clusterIdentity(kube: Kube): Promise<string> {
  try {
    const found = await kube.find(schema, RESOURCES.namespace, 'kube-system');
    if (found) return found.metadata.uid;
  } catch (error) {
    if (!isInlayError(error) || error.code !== 'CLUSTER_FORBIDDEN') throw error;
  }
  return kube.connection.server.href;
}
