import type { Deployment } from './objects.ts';

/** How far a Deployment's rollout is, in the steps that `kubectl rollout status` tells apart. */
export interface Progress {
  readonly done: boolean;
  /** `3 of 4 updated pods are ready` */
  readonly text: string;
}

/** Decides as `kubectl rollout status` does: observed, updated, old ones gone, available. */
export function progressOf({ metadata, spec, status }: Deployment): Progress {
  const waiting = (text: string): Progress => ({ done: false, text });
  if ((metadata.generation ?? 0) > status.observedGeneration) return waiting('the change has not been seen yet');
  if (status.updatedReplicas < spec.replicas)
    return waiting(`${status.updatedReplicas} of ${spec.replicas} pods are updated`);
  if (status.replicas > status.updatedReplicas)
    return waiting(`${status.replicas - status.updatedReplicas} old pods are still there`);
  if (status.availableReplicas < status.updatedReplicas)
    return waiting(`${status.availableReplicas} of ${status.updatedReplicas} pods are ready`);
  return { done: true, text: `${status.availableReplicas} of ${spec.replicas} pods are ready` };
}
