import { z } from 'zod';
import { IMAGE_ANNOTATION, RESOURCES } from '../../cluster/index.ts';
import { podSpecSchema, podStatusSchema, templateSchema } from './pod-images.ts';

/** An object of a cluster that names images. */
export interface ImageHolder {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** Whether it runs now, or only could. */
  readonly runs: boolean;
  readonly images: readonly string[];
  /** What nodes run of it, as their runtimes call it. */
  readonly ids: readonly { readonly image: string; readonly imageID: string }[];
}

type Resource = (typeof RESOURCES)[keyof typeof RESOURCES];

export interface HolderKind {
  readonly resource: Resource;
  readonly schema: z.ZodType<ImageHolder>;
}

const metadata = z.object({
  name: z.string(),
  namespace: z.string().default(''),
  annotations: z.record(z.string(), z.string()).default({}),
  ownerReferences: z
    .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().default(false) }))
    .default([]),
});
type Metadata = z.infer<typeof metadata>;

/** The image that inlay wrote beside what the template says: by digest. */
const written = ({ annotations }: Metadata) => annotations[IMAGE_ANNOTATION] ?? [];

function holder(kind: string, { namespace, name }: Metadata, runs: boolean, images: readonly string[]): ImageHolder {
  return { namespace, kind, name, runs, images, ids: [] };
}

/** What keeps pods by a template; with 0 replicas it could. */
function keeper(kind: string) {
  return z
    .object({ metadata, spec: z.object({ replicas: z.number().default(1), template: templateSchema.optional() }) })
    .transform(({ metadata: own, spec }) =>
      holder(kind, own, spec.replicas > 0, [...(spec.template?.spec ?? []), ...[written(own)].flat()]),
    );
}

const job = z
  .object({
    metadata,
    spec: z.object({ template: templateSchema }),
    status: z.object({ active: z.number().default(0) }).prefault({}),
  })
  .transform(({ metadata: own, spec, status }) => holder('Job', own, status.active > 0, spec.template.spec));

const cronJob = z
  .object({ metadata, spec: z.object({ jobTemplate: z.object({ spec: z.object({ template: templateSchema }) }) }) })
  .transform(({ metadata: own, spec }) => holder('CronJob', own, false, spec.jobTemplate.spec.template.spec));

/** An earlier template of a StatefulSet or DaemonSet, which kubectl rollout undo goes back to. */
const revision = z
  .object({
    metadata,
    data: z
      .object({ spec: z.object({ template: templateSchema.optional() }).prefault({}) })
      .nullish()
      .catch(undefined),
  })
  .transform(({ metadata: own, data }) => holder('ControllerRevision', own, false, data?.spec.template?.spec ?? []));

const pod = z
  .object({ metadata, spec: podSpecSchema, status: podStatusSchema })
  .transform(({ metadata: own, spec, status }): ImageHolder => {
    const owner = own.ownerReferences.find(({ controller }) => controller);
    // Thousands of pods of one workload are told once.
    return {
      ...holder(owner ? `pods of ${owner.kind}` : 'Pod', owner ? { ...own, name: owner.name } : own, true, spec),
      ids: status,
    };
  });

/** All that names images. Without one of them a cluster is known in part only. */
export const HOLDERS: readonly HolderKind[] = [
  { resource: RESOURCES.deployment, schema: keeper('Deployment') },
  // Those of history have no replicas: kubectl rollout undo goes back to them.
  { resource: RESOURCES.replicaSet, schema: keeper('ReplicaSet') },
  { resource: RESOURCES.replicationController, schema: keeper('ReplicationController') },
  { resource: RESOURCES.statefulSet, schema: keeper('StatefulSet') },
  { resource: RESOURCES.daemonSet, schema: keeper('DaemonSet') },
  { resource: RESOURCES.controllerRevision, schema: revision },
  { resource: RESOURCES.job, schema: job },
  { resource: RESOURCES.cronJob, schema: cronJob },
  { resource: RESOURCES.pod, schema: pod },
];
