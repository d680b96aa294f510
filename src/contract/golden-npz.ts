// Not 'fflate', which loads worker threads for what is not used here.
import { unzipSync } from 'fflate/browser';
import { InlayError } from '../error/index.ts';
import { DATATYPES } from './datatype.ts';
import { parseNpy } from './npy.ts';
import type { Tensor } from './tensor.ts';

/** Golden cases are rows by the hundred; beyond this an archive is a mistake, or a bomb. */
const LARGEST_BYTES = 2 ** 30;
const ENTRY = /^cases\/(0|[1-9]\d{0,5})\/(inputs|outputs)\/(.+)\.npy$/s;

/**
 * Reads golden.npz: a zip of .npy arrays `cases/0/inputs/NAME` and `cases/0/outputs/NAME`, and `golden`, a text of JSON with what
 * stands at the top of golden.json. The document that comes out is golden.json's, with tensors in place of nested lists.
 * @param file how to name it @throws GOLDEN_INVALID
 */
export function readGoldenNpz(bytes: Uint8Array, file: string): Record<string, unknown> {
  const cases: { inputs: Record<string, Tensor>; outputs: Record<string, Tensor> }[] = [];
  const dtypes: Record<string, string> = {};
  let top: unknown = {};
  for (const [path, content] of Object.entries(unzip(bytes, file))) {
    if (path === 'golden.npy') {
      top = topOf(parseNpy(content, `${file}: golden`), file);
      continue;
    }
    const [, number, role, name = ''] = ENTRY.exec(path) ?? [];
    if (role !== 'inputs' && role !== 'outputs')
      throw new InlayError('GOLDEN_INVALID', `${file} has an entry ${path.slice(0, 100)}, which means nothing`, {
        hint: 'Arrays are called cases/0/inputs/NAME and cases/0/outputs/NAME; inlay_golden writes them.',
      });
    const tensor = parseNpy(content, `${file}: ${path}`);
    cases[Number(number)] ??= { inputs: {}, outputs: {} };
    (cases[Number(number)] as (typeof cases)[number])[role][name] = tensor;
    if (role === 'inputs') dtypes[name] = DATATYPES[tensor.datatype].numpy;
  }
  for (let i = 0; i < cases.length; i++) {
    if (!cases[i]) throw new InlayError('GOLDEN_INVALID', `${file} has no case ${i}, and has case ${cases.length - 1}`);
  }
  return { ...(top as object), dtypes, cases };
}

function unzip(bytes: Uint8Array, file: string): Record<string, Uint8Array> {
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter: ({ originalSize }) => {
        total += originalSize;
        if (total > LARGEST_BYTES) throw new RangeError(`more than ${LARGEST_BYTES} bytes when unpacked`);
        return true;
      },
    });
  } catch (cause) {
    throw new InlayError('GOLDEN_INVALID', `${file} is not an .npz archive: ${(cause as Error).message}`, {
      cause,
      hint: 'inlay_golden writes it at the end of training.',
    });
  }
}

function topOf(tensor: Tensor, file: string): unknown {
  try {
    const value: unknown = JSON.parse((tensor.data as string[])[0] as string);
    if (value !== null && typeof value === 'object' && !('cases' in value)) return value;
  } catch {
    // told below
  }
  throw new InlayError('GOLDEN_INVALID', `${file}: golden is not a text of JSON such as {"tolerance": 1e-5}`);
}
