import { z } from 'zod';
import { IMAGE_ANNOTATION, PREFIX } from '../../cluster/index.ts';
import type { WorkloadKind } from '../row.ts';

// Of each object only what the inventory needs: tens of thousands of them are held at once.

const text = z.record(z.string(), z.string()).default({});
const metadataSchema = z.object({
  name: z.string(),
  namespace: z.string().default(''),
  creationTimestamp: z.string().optional(),
  generation: z.number().optional(),
  labels: text,
  annotations: text,
});
const containerSchema = z.object({
  name: z.string(),
  image: z.string().default(''),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  env: z.array(z.object({ name: z.string() })).default([]),
});

/** What a workload is to run. */
export interface SeenWorkload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly createdAt: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The image that inlay applied, and the owner that it wrote. */
  readonly applied: string | undefined;
  readonly owner: string | undefined;
  /** What it is to serve, as inlay wrote it beside `applied`: for when the image cannot be looked up. */
  readonly promised: PromisedModel | undefined;
  /** The container that serves. */
  readonly container: string;
  /** As its template names it. */
  readonly image: string;
  readonly desired: number;
  /** When the last rollout was done; undefined while one goes on, and for kinds that do not say. */
  readonly rolledOut: string | undefined;
  /** False where its controller has not looked at the present template yet: `rolledOut` is of an older one. */
  readonly current: boolean;
  /** What a person may have said of being a model server: names of environment variables, words of the command line. */
  readonly hints: readonly string[];
}

export interface PromisedModel {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly task: string | undefined;
}

function promisedModel(annotations: Readonly<Record<string, string>>): PromisedModel | undefined {
  const [name, version] = annotations[`${PREFIX}/model`]?.split(':') ?? [];
  const digest = annotations[`${PREFIX}/model-digest`];
  if (!name || !version || !digest) return undefined;
  return { name, version, digest, task: annotations[`${PREFIX}/task`] };
}

const LABELS = [
  'app.kubernetes.io/managed-by',
  'app.kubernetes.io/name',
  'app.kubernetes.io/component',
  `${PREFIX}/role`,
  `${PREFIX}/owner`,
  'owner',
  'team',
  'serving.kserve.io/inferenceservice',
  'seldon-deployment-id',
  'yatai.ai/bento-deployment',
] as const;

type Container = z.infer<typeof containerSchema>;

/** Injected by meshes and the like: never what serves. */
const SIDECARS = /^(istio-proxy|linkerd-proxy|envoy|vault-agent|cloud-sql-proxy|queue-proxy|daprd)$/;

/** The container that serves: the one kubectl takes by default, else the first that no mesh has put there. */
function servingContainer(
  containers: readonly Container[],
  annotations: Readonly<Record<string, string>>,
): Container | undefined {
  const named = annotations['kubectl.kubernetes.io/default-container'];
  return (
    containers.find(({ name }) => name === named) ??
    containers.find(({ name }) => !SIDECARS.test(name)) ??
    containers[0]
  );
}

const templateSchema = z.object({
  metadata: z.object({ annotations: text, labels: text }).prefault({}),
  spec: z.object({ containers: z.array(containerSchema) }),
});

const conditionSchema = z.object({
  type: z.string(),
  reason: z.string().default(''),
  lastUpdateTime: z.string().nullish(),
});

function workloadSchema(kind: WorkloadKind): z.ZodType<SeenWorkload> {
  return z
    .object({
      metadata: metadataSchema,
      spec: z.object({ replicas: z.number().default(1), template: templateSchema }),
      status: z
        .object({
          desiredNumberScheduled: z.number().optional(),
          observedGeneration: z.number().optional(),
          conditions: z.array(conditionSchema).default([]),
        })
        .prefault({}),
    })
    .transform(({ metadata, spec, status }): SeenWorkload => {
      const { template } = spec;
      const { containers } = template.spec;
      const container = servingContainer(containers, template.metadata.annotations);
      // Set once, when the rollout is done, and left alone by scaling (deployment controller, progress.go).
      const done = status.conditions.find(
        ({ type, reason }) => type === 'Progressing' && reason === 'NewReplicaSetAvailable',
      );
      return {
        kind,
        namespace: metadata.namespace,
        name: metadata.name,
        createdAt: metadata.creationTimestamp,
        labels: pick({ ...template.metadata.labels, ...metadata.labels }),
        applied: metadata.annotations[IMAGE_ANNOTATION],
        owner: metadata.annotations[`${PREFIX}/owner`],
        promised: promisedModel(metadata.annotations),
        container: container?.name ?? '',
        image: container?.image ?? '',
        desired: status.desiredNumberScheduled ?? spec.replicas,
        rolledOut: done?.lastUpdateTime ?? undefined,
        current: (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
        hints: hintsOf(container),
      };
    });
}

export const deploymentSeen = workloadSchema('Deployment');
export const statefulSetSeen = workloadSchema('StatefulSet');
export const daemonSetSeen = workloadSchema('DaemonSet');

/** A pod, by whom it belongs to. */
export interface SeenPod {
  readonly namespace: string;
  readonly name: string;
  readonly owner: { readonly kind: string; readonly name: string } | undefined;
  readonly ready: boolean;
  /** It has been told to end. */
  readonly ending: boolean;
  readonly restarts: number;
  readonly createdAt: string | undefined;
  readonly containers: readonly SeenContainer[];
  /** What a workload would be, for a pod that has none. */
  readonly labels: Readonly<Record<string, string>>;
  readonly hints: readonly string[];
}

export interface SeenContainer {
  readonly name: string;
  readonly image: string;
  /** What the node runs, as its runtime calls it; empty before it does. */
  readonly imageID: string;
}

/** Labels with the hash of a template, and who puts them there. */
const HASHES = { 'pod-template-hash': 'Deployment', 'rollouts-pod-template-hash': 'Rollout' } as const;

export const podSeen: z.ZodType<SeenPod> = z
  .object({
    metadata: metadataSchema.extend({
      deletionTimestamp: z.string().optional(),
      ownerReferences: z
        .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().default(false) }))
        .default([]),
    }),
    spec: z.object({ containers: z.array(containerSchema) }),
    status: z
      .object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
        containerStatuses: z
          .array(
            z.object({
              name: z.string(),
              imageID: z.string().default(''),
              restartCount: z.number().default(0),
            }),
          )
          .default([]),
      })
      .prefault({}),
  })
  .transform(({ metadata, spec, status }): SeenPod => {
    const owner = metadata.ownerReferences.find(({ controller }) => controller) ?? metadata.ownerReferences[0];
    const container = servingContainer(spec.containers, metadata.annotations);
    const ending = metadata.deletionTimestamp !== undefined;
    return {
      namespace: metadata.namespace,
      name: metadata.name,
      ending,
      owner: owner && ownerOf(owner, metadata.labels),
      ready:
        !ending && status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
      restarts: status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
      createdAt: metadata.creationTimestamp,
      containers: spec.containers.map(({ name, image }) => ({
        name,
        image,
        imageID: status.containerStatuses.find((one) => one.name === name)?.imageID ?? '',
      })),
      labels: owner ? {} : pick(metadata.labels),
      hints: owner ? [] : hintsOf(container),
    };
  });

/** A ReplicaSet is called as its Deployment (or Argo's Rollout), with the hash of the template after it: so ReplicaSets need not be listed. */
function ownerOf({ kind, name }: { kind: string; name: string }, labels: Readonly<Record<string, string>>) {
  if (kind !== 'ReplicaSet') return { kind, name };
  for (const [label, owner] of Object.entries(HASHES)) {
    const hash = labels[label];
    if (hash !== undefined && name.endsWith(`-${hash}`)) return { kind: owner, name: name.slice(0, -hash.length - 1) };
  }
  return { kind, name };
}

function pick(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(LABELS.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
}

const TELLING = /MODEL|TORCH|TENSORFLOW|TRITON|ONNX|MLFLOW|BENTO|HF_|VLLM/;

function hintsOf(container: Container | undefined): readonly string[] {
  if (!container) return [];
  const words = [...container.command, ...container.args].slice(0, 8).map((word) => word.slice(0, 80));
  return [...container.env.map(({ name }) => name).filter((name) => TELLING.test(name)), ...words];
}
