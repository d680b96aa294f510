/** A service has pods of two roles behind one Service: what is trusted, and what is tried. */
export type Role = 'stable' | 'canary';
export const ROLES: readonly Role[] = ['stable', 'canary'];

/** Prefix of inlay's own labels and annotations in Kubernetes. */
export const PREFIX = 'inlay';
/** Label: `stable` or `canary`; part of the selectors, which can never be changed, from the first release on. */
export const ROLE_LABEL = `${PREFIX}/role`;
/** Label: the service that an object belongs to; one pod label that both roles have. */
export const SERVICE_LABEL = 'app.kubernetes.io/name';
/** Annotation: the image by digest, as the release named it. */
export const IMAGE_ANNOTATION = `${PREFIX}/image`;

/** Server-side apply: who owns what inlay says of an object. */
export const FIELD_MANAGER = 'inlay';
/** Who says with how many replicas a Deployment starts; the autoscaler owns them from then on. */
export const REPLICAS_MANAGER = 'inlay-replicas';

/** The Deployment, HorizontalPodAutoscaler and pods of a role: `iris`, `iris-canary`. */
export function workloadName(service: string, role: Role): string {
  return role === 'stable' ? service : `${service}-canary`;
}

/** The ConfigMap with the journal, and the Lease of whoever works on the service: `inlay-iris`. */
export function journalName(service: string): string {
  return `inlay-${service}`;
}

/** Label: the service whose release a pod of `deploy --detach` goes on with. */
export const RELEASES_LABEL = `${PREFIX}/releases`;

/** Which Jobs go on with a service's releases (`deploy --detach`). */
export function releaseJobSelector(service: string): string {
  return `app.kubernetes.io/component=release,${SERVICE_LABEL}=${service}`;
}
