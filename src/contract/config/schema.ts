import { z } from 'zod';
import { DATATYPE_NAMES } from '../datatype.ts';
import { TASKS } from '../task.ts';
import { deployMistakes } from './deploy.ts';
import { deploySchema, durationSchema } from './deploy-schema.ts';

const path = z.string().min(1);

const tensors = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      datatype: z.enum(DATATYPE_NAMES),
      shape: z.array(z.int().min(-1)).describe('-1 for a dimension that is free.'),
    }),
  )
  .min(1);

const modelInPlace = z.strictObject({
  path: path.describe('The ONNX file; of an opaque model the file or the folder.'),
  format: z
    .enum(['onnx', 'opaque'])
    .describe("opaque: inlay does not read it. It is put into an image of one's own (base), which serves it."),
  target: z
    .string()
    .regex(
      /^(\/(?!\.{1,2}(\/|$))[^/\0]+)+\/?$/,
      'expected a path in the image such as /models/iris/1, without "." and ".."',
    )
    .optional()
    .describe('Where an opaque model lies in the image.'),
  env: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable'), z.string())
    .optional()
    .describe('Added to the environment of the base, for its server to find the model.'),
});

const fields = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$/,
      'expected a DNS label: lower-case letters, digits and hyphens, a letter first, 50 at most',
    )
    // `iris-canary` would be the canary of `iris`, and `iris-stable` its Service.
    .regex(/(?<!-(canary|stable))$/, 'it may not end in -canary or -stable: inlay calls parts of other services so')
    .describe('A DNS label: the service, the Deployment and the Open Inference Protocol model name.'),
  version: z
    .string()
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/,
      'expected a version of at most 63 letters, digits, "_", "." and "-", the first not "." or "-"',
    )
    .describe(
      "The image's tag; auto takes the one after the highest in the repository. Quote it: 1.10 without quotes is the number 1.1.",
    ),
  image: z
    .string()
    .regex(/^[a-z0-9]+([.:_/-]+[a-z0-9]+)*$/, 'expected a repository such as registry.example.com/ml/iris, without tag')
    .optional()
    .describe('The repository that the image is pushed to.'),
  model: z.union([path.describe('The ONNX file.'), modelInPlace]),
  inputs: tensors.optional().describe('Of an opaque model: what it takes, as its clients know it.'),
  outputs: tensors.optional().describe('Of an opaque model: what it answers.'),
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
  training: z
    .strictObject({
      requirements: path.optional().describe('What training needs, for pip; requirements.txt is read unasked.'),
      run: z.string().min(1).optional().describe('The command that trains, in the project’s folder: python train.py.'),
      inputs: z
        .array(path)
        .min(1)
        .optional()
        .describe(
          'All that training reads, as file patterns: a release does not train again while they are as they were.',
        ),
      environment: z
        .enum(['venv', 'host'])
        .optional()
        .describe('venv: a Python environment of its own, made of the requirements. host: with what the machine has.'),
    })
    .optional()
    .describe('How the model is trained; inlay release does it.'),
  source: z
    .string()
    .regex(
      /^(runs:\/[A-Za-z0-9]+\/.+|models:\/[^/@]+([/@].+)|oci:\/\/\S+)$/,
      'expected runs:/RUN_ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS or oci://REGISTRY/REPOSITORY:TAG',
    )
    .optional()
    .describe(
      'Where the model is fetched from, into the folder of model: an MLflow run or registered model, or an OCI artifact.',
    ),
  base: z
    .string()
    .regex(
      /^(apt$|[^\s/:@]+[/:@]\S+$)/,
      'expected apt, or an image such as gcr.io/distroless/cc-debian12 or debian:12-slim',
    )
    .optional()
    .describe(
      'What the image stands on: apt composes it from the Debian packages of this machine; an image is pinned by digest in inlay.lock.',
    ),
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
  deploy: deploySchema
    .superRefine((deploy, context) => {
      for (const { path, message } of deployMistakes(deploy))
        context.addIssue({ code: 'custom', path: [...path], message });
    })
    .optional()
    .describe('Where and how the model runs on Kubernetes; none of it is in the image.'),
  prune: z
    .strictObject({
      clusters: z
        .array(z.string().min(1))
        .optional()
        .describe(
          'Every cluster that may run the image, by the UID of its kube-system namespace: inlay prune deletes nothing before it has read all of them.',
        ),
      keepLast: z.int().min(1).optional().describe('How many of the newest versions stay in any case (default: 3).'),
      grace: durationSchema
        .optional()
        .describe('What has been in the registry for less than that stays (default: 30d).'),
      keepTags: z
        .array(z.string().min(1))
        .optional()
        .describe('Images with a tag that fits one of these stay: prod-*.'),
    })
    .optional()
    .describe('What inlay prune keeps, and which clusters it has to ask.'),
});

/** Keys that say what only a model that inlay reads has. */
const ONNX_ONLY = ['labels', 'sample', 'features', 'missing', 'golden', 'transform', 'serverImage'] as const;

/** inlay.yaml, as docs/inlay-yaml.md describes it. */
export const configSchema = fields.superRefine((config, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  const model = typeof config.model === 'string' ? undefined : config.model;
  if (model?.format === 'opaque') {
    if (model.target === undefined) refuse(['model'], 'target is missing: where the model lies in the image');
    if (config.base === undefined || config.base === 'apt')
      refuse(
        [config.base === undefined ? 'model' : 'base'],
        'an opaque model needs an image of your own that serves it as base',
      );
    for (const key of ONNX_ONLY)
      if (config[key] !== undefined) refuse([key], 'does not apply to an opaque model, which inlay does not read');
    return;
  }
  for (const key of ['target', 'env'] as const)
    if (model?.[key] !== undefined) refuse(['model', key], 'applies to opaque models only');
  for (const key of ['inputs', 'outputs'] as const)
    if (config[key] !== undefined) refuse([key], 'is read from the ONNX file: remove it');
  if (config.base !== undefined && config.serverImage !== undefined)
    refuse(['serverImage'], 'a server image has its base already: leave base or serverImage out');
});

export type Config = z.infer<typeof configSchema>;

/** The file or folder that inlay.yaml names as the model. */
export function modelPathOf({ model }: Config): string {
  return typeof model === 'string' ? model : model.path;
}

/** The published JSON Schema of inlay.yaml (schema/inlay.schema.json), for editors. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { target: 'draft-2020-12' });
  return {
    ...schema,
    title: 'inlay.yaml',
    description: 'What a person writes about a model that inlay bakes into an image.',
  };
}
