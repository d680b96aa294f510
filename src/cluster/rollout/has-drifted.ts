import type { Release } from '../journal/index.ts';
import { RESOURCES, resourceOf } from '../kube/index.ts';
import { manifestsOf } from '../manifests/index.ts';
import { anyObjectSchema, deploymentSchema, foreignWriters } from '../observe/index.ts';
import type { Session } from './session.ts';

/**
 * Whether what is stable no longer runs as it was released, so that releasing the same again does something: an object of it is gone, its
 * Deployment has another image, or fields are to be taken back that somebody else has changed (`forceConflicts`).
 */
export async function hasDrifted(session: Session, stable: Release): Promise<boolean> {
  const { kube, options } = session;
  const { namespace, service } = options;
  const live = await kube.find(deploymentSchema, RESOURCES.deployment, service, namespace);
  if (!live?.spec.template.spec.containers[0]?.image.endsWith(stable.image.digest)) return true;
  const taken = foreignWriters(live.metadata.managedFields).some(({ fields }) => fields.length > 0);
  if (options.forceConflicts && taken) return true;
  const objects = manifestsOf(session.planOf(stable), { namespaceObject: false });
  const found = await Promise.all(
    objects.map((object) => kube.find(anyObjectSchema, resourceOf(object), object.metadata.name, namespace)),
  );
  return found.includes(undefined);
}
