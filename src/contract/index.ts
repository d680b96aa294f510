export { type Deploy, durationMs, environmentConfig, resolveDeploy, withDefaults } from './config/deploy.ts';
export {
  durationSchema,
  type EnvironmentConfig,
  environmentSchema,
  type NetworkPeer,
  type Toleration,
} from './config/deploy-schema.ts';
export { CONFIG_FILE } from './config/file.ts';
export { type Mistake, parseConfig } from './config/load.ts';
export { judgeMetric, type MetricJudgement, type MetricRule } from './config/metric-rule.ts';
export { type Config, configJsonSchema, modelPathOf } from './config/schema.ts';
export {
  type Contract,
  deriveContract,
  type ModelFile,
  modelBytes,
  parseContract,
  serializeContract,
} from './contract.ts';
export { DATATYPES, type Datatype, describeSpec, isFloat, type TensorSpec } from './datatype.ts';
export { type DigestFile, digestFile, type FileDigest } from './file-digest.ts';
export { type Difference, exceeds, type Golden, type GoldenCase, parseGolden, worstDifference } from './golden.ts';
export { type AnswerDifference, answerDifference, type RawCase } from './golden-raw.ts';
export { type Labels, labelsOfGraph, readLabels } from './labels.ts';
export { contractOfModel, readAnyProject, readConfig, readProject } from './lazy.ts';
export { mapFile } from './map-file.ts';
export { graphForServing } from './onnx/graph-for-serving.ts';
export { type CaseInput, changeCase } from './onnx/letter-case.ts';
export { moveLetterCase } from './onnx/letter-case-surgery.ts';
export { type ModelFacts, readModelFacts } from './onnx/model-facts.ts';
export { nanWeights } from './onnx/nan-weights.ts';
export { skeletonOf } from './onnx/skeleton.ts';
export { cutZipMap } from './onnx/zipmap.ts';
export { type AnyContract, isOpaque, type OpaqueContract, parseOpaqueContract } from './opaque-contract.ts';
export type { OpaqueProject } from './opaque-project.ts';
export type { AnyProject, Project } from './project.ts';
export { quantityBytes } from './quantity.ts';
export { isInference, kindOf, type RequestKind } from './request-kind.ts';
export { TASKS, type Task } from './task.ts';
export { allocate, elementCount, jsonValues, nestTensor, parseTensor, type Tensor, type TensorData } from './tensor.ts';
export { INLAY_VERSION } from './version.ts';
