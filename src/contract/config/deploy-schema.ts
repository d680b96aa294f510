import { z } from 'zod';
import { METRIC_RULE } from './metric-rule.ts';
import { serverEnvSchema } from './server-env.ts';

const DURATION = 'expected a duration like 30s, 10m, 2h or 30d';
export const durationSchema = z.string(DURATION).regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, DURATION);
const fraction = z.number().min(0).max(1);
const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens, 63 at most');
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'expected the name of a Kubernetes object');
const hostname = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
    'expected a host like iris.example.com',
  );
const KEY = '([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const labelKey = z.string().regex(new RegExp(`^${KEY}$`), 'expected the key of a label, like example.com/team');
const ownKey = z
  .string()
  .regex(
    new RegExp(`^(?!inlay/|app\\.kubernetes\\.io/)${KEY}$`),
    'expected a key like example.com/team; inlay/ and app.kubernetes.io/ are written by inlay',
  );
const labelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, 'expected the value of a label: at most 63 characters');

const labelSelector = z.strictObject({
  matchLabels: z.record(labelKey, labelValue).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: labelKey,
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(labelValue).optional(),
      }),
    )
    .optional(),
});

const replicasSchema = z.strictObject({
  initial: z.int().min(1).optional().describe('Pods of the first release; the autoscaler decides from then on.'),
  min: z.int().min(1).optional(),
  max: z.int().min(1).optional(),
});

const canarySchema = z.strictObject({
  steps: z
    .array(z.number().gt(0).max(100))
    .min(1)
    .optional()
    .describe('Share of requests for the canary at each step, percent, rising.'),
  interval: durationSchema.optional().describe('How long each step is watched.'),
  limits: z
    .strictObject({
      errorRate: fraction.optional(),
      p99Ratio: z.number().positive().optional(),
      labelShift: fraction.optional(),
      memory: fraction.optional().describe('Share of the memory limit that a canary pod may use.'),
    })
    .optional(),
  onInconclusive: z.enum(['pause', 'fail', 'pass']).optional(),
  bake: durationSchema.optional().describe('How long the new stable is watched after the promotion.'),
});

const ingressSchema = z.strictObject({
  host: hostname,
  className: objectName.optional(),
  tlsSecret: objectName.optional().describe('The Secret with the certificate; without it the host is plain HTTP.'),
  annotations: z.record(labelKey, z.string()).optional().describe('For the ingress controller.'),
});

const gatewaySchema = z.strictObject({
  parents: z
    .array(z.strictObject({ name: objectName, namespace: dnsLabel.optional(), sectionName: objectName.optional() }))
    .min(1)
    .describe('The Gateways that the HTTPRoute is attached to.'),
  hostnames: z.array(hostname).min(1).optional(),
});

const networkPolicySchema = z.strictObject({
  from: z
    .array(
      z.strictObject({
        namespaceSelector: labelSelector.optional(),
        podSelector: labelSelector.optional(),
        ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
      }),
    )
    .min(1),
});

const tolerationSchema = z.strictObject({
  key: labelKey.optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().optional(),
});

/** `deploy:`, and each of its environments. `false` takes off what the base has. */
export const environmentSchema = z.strictObject({
  namespace: dnsLabel.optional(),
  replicas: replicasSchema.optional(),
  targetCpu: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Average CPU utilisation, percent of the request, that the autoscaler aims for.'),
  canary: canarySchema.optional(),
  require: z
    .record(z.string(), z.string().regex(METRIC_RULE, 'expected a rule like ">= 0.9" or ">= stable - 0.005"'))
    .optional()
    .describe('What the metrics of training have to be: {accuracy: ">= stable - 0.005"}.'),
  verify: z
    .union([z.literal(false), z.strictObject({ key: z.string().min(1) })])
    .optional()
    .describe('The public key that must have signed the image; a file of the project.'),
  imagePullSecrets: z.array(objectName).optional(),
  ingress: z.union([z.literal(false), ingressSchema]).optional(),
  gateway: z
    .union([z.literal(false), gatewaySchema])
    .optional()
    .describe('An HTTPRoute, whose weights divide the traffic between stable and canary.'),
  networkPolicy: z
    .union([z.literal(false), networkPolicySchema])
    .optional()
    .describe('Who may connect, as in a NetworkPolicy; anyone without it. false: no NetworkPolicy.'),
  env: serverEnvSchema.optional().describe('Variables of the server.'),
  nodeSelector: z.record(labelKey, labelValue).optional(),
  tolerations: z.array(tolerationSchema).optional(),
  priorityClassName: objectName.optional(),
  labels: z.record(ownKey, labelValue).optional().describe('Labels for every object and the pods.'),
  annotations: z.record(ownKey, z.string()).optional().describe('Annotations for every object and the pods.'),
});

export const deploySchema = environmentSchema.extend({
  environments: z
    .record(z.string().min(1), environmentSchema)
    .optional()
    .describe('What differs where: laid over the rest, key by key; lists are replaced.'),
});

export type DeployConfig = z.infer<typeof deploySchema>;
export type EnvironmentConfig = z.infer<typeof environmentSchema>;
export type NetworkPeer = z.infer<typeof networkPolicySchema>['from'][number];
export type Toleration = z.infer<typeof tolerationSchema>;
