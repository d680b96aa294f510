import { InlayError } from '../../error/index.ts';
import type { Kube } from '../kube/index.ts';

export function serviceNotFound(kube: Kube, namespace: string, service: string): InlayError {
  return new InlayError(
    'SERVICE_NOT_FOUND',
    `inlay has released no ${service} in namespace ${namespace} of ${kube.context}`,
    { hint: 'Check the name, --context and --namespace.' },
  );
}
