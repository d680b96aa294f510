import type { Contract, TensorSpec } from '../../contract/index.ts';
import type { Answers, Feeds } from '../../engine/index.ts';
import { InlayError } from '../../error/index.ts';
import type { LoadedTransform, TransformModel } from '../../transform/index.ts';
import { HttpError } from '../answer.ts';
import { predictionOf } from '../render.ts';
import { answerJson } from './answer-json.ts';
import { givenTensors } from './given-tensors.ts';
import type { RawRequest } from './raw-request.ts';

export interface TransformerOptions {
  readonly transform: LoadedTransform;
  readonly contract: Contract;
  /** What a request may give: `Engine.inputs`. */
  readonly inputs: readonly TensorSpec[];
  /** How long a call may take that waits for something, milliseconds. */
  readonly timeoutMs: number;
}

/** A transform around its model: calls it, and holds what it gives against the contract. */
export class Transformer {
  readonly accepts: readonly string[];
  /** The outputs that an answer is made of. */
  readonly outputs: readonly string[];
  readonly #options: TransformerOptions;
  readonly #model: TransformModel;

  constructor(options: TransformerOptions) {
    const { transform, contract, inputs } = options;
    this.#options = options;
    this.accepts = transform.accepts;
    this.outputs = transform.postprocess ? contract.outputs.map(({ name }) => name) : [contract.prediction];
    const told = (specs: readonly TensorSpec[]) =>
      specs.map(({ name, datatype, shape }) => Object.freeze({ name, datatype, shape: Object.freeze([...shape]) }));
    this.#model = Object.freeze({
      name: contract.name,
      version: contract.version,
      inputs: Object.freeze(told(inputs)),
      outputs: Object.freeze(told(contract.outputs)),
      labels: Object.freeze([...(contract.labels?.names ?? [])]),
      badRequest: (message: string, hint?: string) => new InlayError('INPUT_INVALID', String(message), { hint }),
    });
  }

  /** The model's inputs of a request. @throws INPUT_INVALID, TRANSFORM_FAILED, TRANSFORM_TIMEOUT, HttpError 400 */
  async feeds(request: RawRequest): Promise<Feeds> {
    const { transform, inputs } = this.#options;
    const given = await this.#call('preprocess', () => transform.preprocess(request, this.#model));
    return givenTensors(given, inputs);
  }

  /**
   * The whole answer, as JSON.
   * @param outputs these rows' alone @throws INPUT_INVALID, TRANSFORM_FAILED, TRANSFORM_TIMEOUT, OUTPUT_NOT_FINITE
   */
  async answer(outputs: Answers, request: RawRequest): Promise<string> {
    const { transform, contract } = this.#options;
    const { postprocess } = transform;
    if (postprocess)
      return answerJson(await this.#call('postprocess', () => postprocess(outputs, this.#model, request)));
    const tensor = outputs[contract.prediction];
    if (!tensor) throw new RangeError(`no output ${contract.prediction}`);
    return JSON.stringify({ prediction: predictionOf(contract.prediction, { tensor, from: 0, rows: 1, alone: true }) });
  }

  async #call<T>(what: string, call: () => T | Promise<T>): Promise<T> {
    try {
      const value = call();
      return isThenable(value) ? await this.#within(what, value) : value;
    } catch (cause) {
      // Refused on purpose; a body that is no text or JSON is refused by the request itself.
      if (cause instanceof InlayError || cause instanceof HttpError) throw cause;
      throw new InlayError('TRANSFORM_FAILED', 'the transform failed on this request', {
        cause,
        hint: "The server's log has the cause.",
      });
    }
  }

  #within<T>(what: string, value: PromiseLike<T>): Promise<T> {
    const { timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new InlayError('TRANSFORM_TIMEOUT', `the transform's ${what} did not end within ${timeoutMs / 1000} s`, {
              hint: 'Try again, or raise TRANSFORM_TIMEOUT_S.',
            }),
          ),
        timeoutMs,
      );
      Promise.resolve(value)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
