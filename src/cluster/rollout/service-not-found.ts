import { didYouMean, InlayError, isInlayError } from '../../error/index.ts';
import { type Kube, RESOURCES } from '../kube/index.ts';
import { ROLE_LABEL, SERVICE_LABEL } from '../names.ts';
import { deploymentSchema } from '../observe/index.ts';

/** The error for a service that inlay has not released there, with those that it has. */
export async function serviceNotFound(kube: Kube, namespace: string, service: string): Promise<InlayError> {
  return new InlayError(
    'SERVICE_NOT_FOUND',
    `inlay has released no ${service} in namespace ${namespace} of ${kube.context}`,
    { hint: hintOf(service, await servicesOf(kube, namespace)) },
  );
}

function hintOf(service: string, there: readonly string[] | undefined): string {
  if (there === undefined) return 'Check the name, --context and --namespace.';
  if (there.length === 0)
    return 'Nothing there is of inlay. Check --context and --namespace; inlay inventory tells what runs where.';
  if (there.includes(service))
    return `It runs, but there is no journal of it: another tool applied it. inlay logs, forward and verdict know it; inlay deploy IMAGE --config inlay.yaml goes on from it.`;
  const meant = didYouMean(service, there);
  return `${meant === undefined ? '' : `Did you mean ${meant}? `}There are: ${there.join(', ')}.`;
}

/** Names of the services there, or undefined where this login may not see them. */
async function servicesOf(kube: Kube, namespace: string): Promise<string[] | undefined> {
  try {
    const found = await kube.list(deploymentSchema, RESOURCES.deployment, {
      namespace,
      labels: `${ROLE_LABEL}=stable`,
    });
    return found.map(({ metadata }) => metadata.labels[SERVICE_LABEL] ?? metadata.name).sort();
  } catch (error) {
    if (isInlayError(error) && error.code !== 'INTERRUPTED') return undefined;
    throw error;
  }
}
