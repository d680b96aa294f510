import { z } from 'zod';
import {
  type AnswerDifference,
  answerDifference,
  type Contract,
  DATATYPES,
  type Datatype,
  type Difference,
  exceeds,
  type Golden,
  jsonValues,
  parseTensor,
  type Tensor,
  worstDifference,
} from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';

export interface ReplayedOverHttp {
  readonly rows: number;
  readonly requests: number;
  readonly worst: Difference | undefined;
  readonly worstAnswer: AnswerDifference | undefined;
}

const REQUEST_MS = 60_000;

const answerSchema = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  outputs: z.array(
    z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()), data: z.array(z.unknown()) }),
  ),
});

/**
 * Sends the golden cases to a server that was started from an image, as its clients will: tensors by the Open Inference Protocol's
 * REST (`POST /v2/models/NAME/infer`), requests of a transform to /predict; without any, it asks for the sample's prediction.
 * @param url of the server @throws GOLDEN_MISMATCH; COMMAND_FAILED where it answers anything else than 200
 */
export async function replayOverHttp(
  url: string,
  contract: Pick<Contract, 'name' | 'version'>,
  golden: Golden | undefined,
): Promise<ReplayedOverHttp> {
  if (golden === undefined) {
    await ask(`${url}/predict/test`, { method: 'GET' });
    return { rows: 1, requests: 1, worst: undefined, worstAnswer: undefined };
  }
  const answers: Record<string, Tensor>[] = [];
  let rows = 0;
  for (const { inputs, outputs } of golden.cases) {
    rows += Object.values(inputs)[0]?.shape[0] ?? 1;
    answers.push(await infer(url, contract, inputs, Object.keys(outputs)));
  }
  const worst = worstDifference(golden, answers);
  if (worst && exceeds(worst))
    throw mismatch(
      `row ${worst.row}: training saw ${worst.expected} in ${worst.output}, the started image answers ${worst.actual} (allowed difference ${worst.allowed})`,
    );
  let worstAnswer: AnswerDifference | undefined;
  for (const [i, { contentType, bytes, answer }] of golden.raw.entries()) {
    const body = new Uint8Array(bytes);
    const given = await ask(`${url}/predict`, { method: 'POST', headers: { 'content-type': contentType }, body });
    const found = answerDifference(answer, given, golden.rawTolerance);
    if (found && found.size > found.allowed)
      throw mismatch(
        `request ${i}: training saw ${JSON.stringify(found.expected)} at ${found.path || 'the top'}, the started image answers ${JSON.stringify(found.actual)}`,
      );
    worstAnswer ??= found;
  }
  return { rows, requests: golden.cases.length + golden.raw.length, worst, worstAnswer };
}

async function infer(
  url: string,
  { name, version }: Pick<Contract, 'name' | 'version'>,
  inputs: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
): Promise<Record<string, Tensor>> {
  const body = JSON.stringify({
    inputs: Object.entries(inputs).map(([input, tensor]) => ({
      name: input,
      datatype: tensor.datatype,
      shape: tensor.shape,
      // NaN becomes null, which is how a missing value is written.
      data: dataOf(tensor),
    })),
    outputs: outputs.map((output) => ({ name: output })),
  });
  const headers = { 'content-type': 'application/json' };
  const answer = answerSchema.safeParse(await ask(`${url}/v2/models/${name}/infer`, { method: 'POST', headers, body }));
  if (!answer.success)
    throw new InlayError('GOLDEN_MISMATCH', `the started image does not answer as the Open Inference Protocol says`, {
      cause: answer.error,
    });
  if (answer.data.model_name !== name || (answer.data.model_version ?? version) !== version)
    throw mismatch(`it says that it is ${answer.data.model_name} ${answer.data.model_version}, not ${name} ${version}`);
  return Object.fromEntries(
    answer.data.outputs.map(({ name: output, datatype, shape, data }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      if (!isDatatype(datatype)) throw mismatch(`${output} comes as ${datatype}`);
      return [output, { ...parseTensor({ name: output, datatype, shape: [count] }, data), shape }];
    }),
  );
}

function dataOf(tensor: Tensor): readonly unknown[] {
  const { data } = tensor;
  if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return jsonValues(tensor);
  // Beyond 2^53 a double would be another number (ECMAScript's JSON.rawJSON).
  const json = JSON as typeof JSON & { rawJSON(text: string): unknown };
  return Array.from<bigint, unknown>(data, (value) => json.rawJSON(String(value)));
}

const isDatatype = (text: string): text is Datatype => Object.hasOwn(DATATYPES, text);

async function ask(url: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_MS) });
  const text = await response.text();
  if (!response.ok)
    throw new InlayError(
      'COMMAND_FAILED',
      `the started image answered ${response.status} to ${new URL(url).pathname}: ${text.slice(0, 300)}`,
      {
        hint: 'inlay run IMAGE starts it for you to look at.',
      },
    );
  return JSON.parse(text);
}

function mismatch(what: string): InlayError {
  return new InlayError('GOLDEN_MISMATCH', `the image answers differently from training: ${what}`, {
    hint: 'check was satisfied with the same model on the same runtime: look at what is between, the transform and the server image.',
  });
}
