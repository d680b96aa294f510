import { z } from 'zod';
import { FIELD_MANAGER, REPLICAS_MANAGER } from '../names.ts';

/** Who wrote which fields of an object. @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
export const managedFieldsSchema = z
  .array(
    z.object({
      manager: z.string().default(''),
      subresource: z.string().optional(),
      fieldsV1: z.record(z.string(), z.unknown()).default({}),
    }),
  )
  .default([]);
export type ManagedFields = z.infer<typeof managedFieldsSchema>;

/** A field manager beside inlay, and the fields that are as it wants them, not as inlay does. */
export interface ForeignWriter {
  readonly manager: string;
  /** `spec.template.spec.containers[server].image` */
  readonly fields: readonly string[];
  /** It is a tool that applies what lies in Git, and so comes back. */
  readonly gitOps: boolean;
}

/** Field managers of tools that apply what lies in Git, as managedFields name them. */
const GITOPS = ['argocd-controller', 'argocd-application-controller', 'kustomize-controller', 'helm-controller'];

/** The autoscaler's, and what `kubectl rollout restart` leaves: nobody's mistake. */
const FREE = [/^spec\.replicas$/, /^spec\.template\.metadata\.annotations\.kubectl\.kubernetes\.io\/restartedAt$/];

/**
 * Who has written to the spec of an object that inlay applied. A tool that applies from Git is told even where it wants what inlay
 * wants: it will not once there is a release.
 */
export function foreignWriters(managed: ManagedFields): ForeignWriter[] {
  const whole = managed.filter(({ subresource }) => subresource === undefined);
  const isOurs = (manager: string) => manager === FIELD_MANAGER || manager === REPLICAS_MANAGER;
  const ours = new Set(whole.filter(({ manager }) => isOurs(manager)).flatMap(({ fieldsV1 }) => pathsOf(fieldsV1)));
  // What inlay has not applied is not inlay's to judge.
  if (ours.size === 0) return [];
  return whole
    .filter(({ manager }) => !isOurs(manager))
    .map(({ manager, fieldsV1 }) => ({
      manager,
      fields: pathsOf(fieldsV1).filter(
        (path) => path.startsWith('spec.') && !ours.has(path) && !FREE.some((free) => free.test(path)),
      ),
      gitOps: GITOPS.includes(manager),
    }))
    .filter(({ fields, gitOps }) => gitOps || fields.length > 0);
}

/** Whether somebody has said what a field is: `spec.replicas`. Where it is not noted who wrote what, somebody may have. */
export function hasField(managed: ManagedFields, path: string): boolean {
  return managed.length === 0 || managed.some(({ fieldsV1 }) => pathsOf(fieldsV1).includes(path));
}

/** `{"f:spec": {"f:ports": {"k:{\"name\":\"http\"}": {"f:port": {}}}}}` is `spec.ports[http].port`. */
function pathsOf(fields: Readonly<Record<string, unknown>>, at = ''): string[] {
  return Object.entries(fields).flatMap(([key, below]) => {
    if (key === '.') return [];
    const path = at + stepOf(key, at);
    const children = z.record(z.string(), z.unknown()).catch({}).parse(below);
    return Object.keys(children).length === 0 ? [path] : pathsOf(children, path);
  });
}

function stepOf(key: string, at: string): string {
  const name = key.slice(2);
  if (key.startsWith('f:')) return at === '' ? name : `.${name}`;
  if (!key.startsWith('k:')) return `[${name}]`;
  // Of a list whose items are told apart by several keys, as ports are, the values of all.
  return `[${Object.values(z.record(z.string(), z.unknown()).parse(JSON.parse(name))).join(' ')}]`;
}
