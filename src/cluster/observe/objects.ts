import { z } from 'zod';
import { managedFieldsSchema } from './writers.ts';

const text = z.record(z.string(), z.string()).default({});

export const metadataSchema = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().default(''),
  generation: z.number().optional(),
  resourceVersion: z.string().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: text,
  annotations: text,
  ownerReferences: z.array(z.object({ kind: z.string(), name: z.string() })).default([]),
});

const conditionSchema = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
  lastTransitionTime: z.string().nullish(),
});

const terminatedSchema = z.object({
  reason: z.string().default(''),
  exitCode: z.number(),
  message: z.string().default(''),
  finishedAt: z.string().nullish(),
});

const stateSchema = z
  .object({
    waiting: z.object({ reason: z.string().default(''), message: z.string().default('') }).optional(),
    running: z.object({ startedAt: z.string().nullish() }).optional(),
    terminated: terminatedSchema.optional(),
  })
  .default({});

const containerStatusSchema = z.object({
  name: z.string(),
  ready: z.boolean().default(false),
  /** Its startup probe has succeeded. */
  started: z.boolean().nullish(),
  restartCount: z.number().default(0),
  image: z.string().default(''),
  imageID: z.string().default(''),
  state: stateSchema,
  lastState: stateSchema,
});

const quantities = z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).default({});
const resourcesSchema = z.object({ requests: quantities, limits: quantities }).default({ requests: {}, limits: {} });

export const podSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({
    nodeName: z.string().optional(),
    containers: z.array(z.object({ name: z.string(), image: z.string().default(''), resources: resourcesSchema })),
  }),
  status: z
    .object({
      phase: z.string().default(''),
      reason: z.string().default(''),
      message: z.string().default(''),
      startTime: z.string().nullish(),
      conditions: z.array(conditionSchema).default([]),
      containerStatuses: z.array(containerStatusSchema).default([]),
    })
    .prefault({}),
});
export type Pod = z.infer<typeof podSchema>;

export const deploymentSchema = z.object({
  metadata: metadataSchema.extend({ managedFields: managedFieldsSchema }),
  spec: z.object({
    replicas: z.number().default(1),
    template: z.object({
      metadata: z.object({ annotations: text, labels: text }).prefault({}),
      spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string().default('') })) }),
    }),
  }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      readyReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      conditions: z.array(conditionSchema).default([]),
    })
    .prefault({}),
});
export type Deployment = z.infer<typeof deploymentSchema>;

export const autoscalerSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ minReplicas: z.number().default(1), maxReplicas: z.number() }),
});

export const eventSchema = z.object({
  type: z.string().default(''),
  reason: z.string().default(''),
  message: z.string().default(''),
  involvedObject: z.object({ kind: z.string().default(''), name: z.string().default('') }),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
});
export type KubeEvent = z.infer<typeof eventSchema>;

export const jobSchema = z.object({
  metadata: metadataSchema,
  status: z.object({ conditions: z.array(conditionSchema).default([]) }).prefault({}),
});

export const nodeSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ unschedulable: z.boolean().default(false) }).prefault({}),
  status: z.object({
    nodeInfo: z.object({ architecture: z.string(), operatingSystem: z.string() }),
    allocatable: quantities,
  }),
});

export const quotaSchema = z.object({
  metadata: metadataSchema,
  status: z.object({ hard: quantities, used: quantities }).default({ hard: {}, used: {} }),
});
export type Quota = z.infer<typeof quotaSchema>;

export const anyObjectSchema = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: metadataSchema,
});

/** Whether a pod takes requests: Ready, and not on its way out. */
export function isReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

/** How often the containers of a pod were started again. */
export function restartsOf(pod: Pod): number {
  return pod.status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

export interface Restart {
  /** RFC 3339. */
  readonly at: string;
  /** `OOMKilled`, `Error`, … */
  readonly reason: string;
  readonly exitCode: number;
}

/** Why a container of these pods was last started again; undefined where none was. */
export function lastRestartOf(pods: readonly Pod[]): Restart | undefined {
  return pods
    .flatMap(({ status }) => status.containerStatuses)
    .flatMap(({ restartCount, lastState: { terminated } }) =>
      restartCount > 0 && terminated?.finishedAt
        ? [{ at: terminated.finishedAt, reason: terminated.reason, exitCode: terminated.exitCode }]
        : [],
    )
    .sort((a, b) => a.at.localeCompare(b.at))
    .at(-1);
}
