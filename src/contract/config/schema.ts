import { z } from 'zod';
import { TASKS } from '../task.ts';

const path = z.string().min(1);
const duration = z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'expected a duration like 30s, 10m or 2h');
const fraction = z.number().min(0).max(1);
const replicas = z.strictObject({
  initial: z.int().min(1).optional(),
  min: z.int().min(1).optional(),
  max: z.int().min(1).optional(),
});

const deploy = z.strictObject({
  namespace: z.string().optional(),
  replicas: replicas.optional(),
  targetCpu: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Average CPU utilisation, percent of the request, that the autoscaler aims for.'),
  canary: z
    .strictObject({
      steps: z
        .array(z.number().gt(0).max(100))
        .min(1)
        .optional()
        .describe('Share of requests for the canary at each step, percent.'),
      interval: duration.optional(),
      limits: z
        .strictObject({
          errorRate: fraction.optional(),
          p99Ratio: z.number().positive().optional(),
          labelShift: fraction.optional(),
        })
        .optional(),
      onInconclusive: z.enum(['pause', 'fail', 'pass']).optional(),
      bake: duration.optional(),
    })
    .optional(),
});

/** inlay.yaml, as docs/inlay-yaml.md describes it. */
export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$/,
      'expected a DNS label: lower-case letters, digits and hyphens, a letter first, 50 at most',
    )
    .describe('A DNS label: the service, the Deployment and the Open Inference Protocol model name.'),
  version: z
    .string()
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/,
      'expected a version of at most 63 letters, digits, "_", "." and "-", the first not "." or "-"',
    )
    .describe("The image's tag. Quote it: 1.10 without quotes is the number 1.1."),
  image: z
    .string()
    .regex(/^[a-z0-9]+([.:_/-]+[a-z0-9]+)*$/, 'expected a repository such as registry.example.com/ml/iris, without tag')
    .optional()
    .describe('The repository that the image is pushed to.'),
  model: path.describe('The ONNX file.'),
  labels: path.optional().describe('Names of the classes: {"0": "setosa", ...} or ["setosa", ...], as JSON.'),
  task: z.enum(TASKS).optional(),
  sample: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown())])
    .optional()
    .describe('One input: a nested list, or {input name: nested list} where there are several inputs.'),
  features: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Names of the columns of the one input, in order: requests may then send {"records": [{NAME: value}]}.'),
  missing: z
    .literal('nan')
    .optional()
    .describe('nan: the model takes NaN as a missing value; in JSON it is written as null.'),
  golden: z
    .union([path, z.strictObject({ file: path, inImage: z.boolean().optional() })])
    .optional()
    .describe(
      'Inputs with the outputs that training saw (golden.json). They travel in the image unless inImage is false.',
    ),
  transform: path
    .optional()
    .describe(
      'Pre- and postprocessing that is not in the graph, as TypeScript (transform.ts); it needs golden cases of its own.',
    ),
  metrics: path.optional().describe('What training measured, as JSON: {"accuracy": 0.97}.'),
  owner: z.string().min(1).max(63).optional(),
  training: z.strictObject({ requirements: path.optional(), run: z.string().optional() }).optional(),
  base: z
    .literal('apt')
    .optional()
    .describe('What the image stands on: apt composes it from the Debian packages of this machine.'),
  serverImage: z
    .string()
    .min(1)
    .optional()
    .describe('A pushed server image (inlay server-image) to stand on, pinned in inlay.lock; instead of base.'),
  server: z
    .strictObject({
      cpu: z
        .string()
        .regex(/^(\d+m|\d+(\.\d+)?)$/, 'expected a CPU quantity like 500m or 2')
        .optional(),
      memory: z
        .string()
        .regex(/^\d+(Ki|Mi|Gi|k|M|G)?$/, 'expected a memory quantity like 300Mi or 2Gi')
        .optional(),
    })
    .optional()
    .describe('What the model needs to be served.'),
  deploy: deploy.extend({ environments: z.record(z.string(), deploy).optional() }).optional(),
  prune: z
    .strictObject({
      clusters: z.array(z.string()).optional(),
      keepLast: z.int().min(1).optional(),
      grace: duration.optional(),
    })
    .optional(),
});

export type Config = z.infer<typeof configSchema>;

/** The published JSON Schema of inlay.yaml (schema/inlay.schema.json), for editors. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { target: 'draft-2020-12' });
  return {
    ...schema,
    title: 'inlay.yaml',
    description: 'What a person writes about a model that inlay bakes into an image.',
  };
}
