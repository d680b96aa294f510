import * as v from 'valibot';
import { InlayError } from '../error/index.ts';
import type { Contract } from './contract.ts';
import { DATATYPE_NAMES } from './datatype.ts';
import { TASKS } from './task.ts';

const integer = v.pipe(v.number(), v.integer());
const tensors = v.array(
  v.object({
    name: v.string(),
    datatype: v.picklist(DATATYPE_NAMES),
    shape: v.array(v.pipe(integer, v.minValue(-1))),
  }),
);

/**
 * What is known of a model whose format inlay does not read (a SavedModel, a .mar, anything), served by an image of the user's own:
 * digests, and what a person wrote. The label `inlay.contract` of its image.
 */
const opaqueSchema = v.object({
  schemaVersion: v.literal(1),
  format: v.literal('opaque'),
  name: v.string(),
  version: v.string(),
  /** `other` where nobody said. */
  task: v.picklist(TASKS),
  model: v.object({
    /** Where it lies in the image. */
    target: v.string(),
    /** Of the file; of a folder the sha256 of its files' digests and paths, as sha256sum lists them. */
    digest: v.string(),
    sizeBytes: integer,
    files: integer,
  }),
  /** Empty where nobody said. */
  inputs: tensors,
  outputs: tensors,
  metrics: v.optional(v.record(v.string(), v.number())),
  /** What a person wrote; inlay knows no default for another's server. */
  server: v.object({ cpu: v.optional(v.string()), memory: v.optional(v.string()) }),
  owner: v.optional(v.string()),
  /** Codes of findings that somebody accepted when building (`inlay build --skip`). */
  accepted: v.optional(v.array(v.string())),
});
export type OpaqueContract = v.InferOutput<typeof opaqueSchema>;

/** What an image promises: of an ONNX model, or of one that inlay does not read. */
export type AnyContract = Contract | OpaqueContract;

export function isOpaque<T extends object>(contract: T | OpaqueContract): contract is OpaqueContract {
  return 'format' in contract;
}

/** Reads back what `JSON.stringify` made of one. @throws CONTRACT_INVALID */
export function parseOpaqueContract(text: string, where: string): OpaqueContract {
  try {
    return v.parse(opaqueSchema, JSON.parse(text));
  } catch (cause) {
    throw new InlayError('CONTRACT_INVALID', `${where} is not the contract of an opaque model`, {
      cause,
      hint: 'It was written by another version of inlay, or edited. Build the image again.',
    });
  }
}
