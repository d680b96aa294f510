import type { Contract, TensorSpec } from '../../../contract/index.ts';

/** Beyond so many characters of JSON a sample does not travel with the page: it is sent as `{}`. */
const MOST_SAMPLE = 64_000;

/** What the page needs to know of a contract. */
export interface PageModel {
  readonly name: string;
  readonly version: string;
  readonly task: Contract['task'];
  readonly digest: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** The output that is the prediction. */
  readonly prediction: string;
  /** Class names in column order. */
  readonly labels?: readonly string[];
  /** Column names of the one input. */
  readonly features?: readonly string[];
  /** Media types of requests, where a transform takes them; else they are JSON of the inputs. */
  readonly accepts?: readonly string[];
  /** A request of a transform that can be typed. */
  readonly request?: { readonly contentType: string; readonly text: string };
  /** By input name, nested lists; absent where it is too large for a page. */
  readonly sample?: Readonly<Record<string, unknown>>;
}

export function pageModelOf(contract: Contract): PageModel {
  const { name, version, task, inputs, outputs, prediction, labels, features, sample, transform } = contract;
  return {
    name,
    version,
    task,
    digest: contract.model.digest,
    inputs,
    outputs,
    prediction,
    ...(labels ? { labels: labels.names } : {}),
    ...(features ? { features } : {}),
    ...(transform ? { accepts: transform.accepts } : {}),
    ...(transform?.sample ? { request: transform.sample } : {}),
    ...(JSON.stringify(sample.inputs).length <= MOST_SAMPLE ? { sample: sample.inputs } : {}),
  };
}
