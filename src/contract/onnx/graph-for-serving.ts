import { type CaseInput, WITH_GRAPHS } from './letter-case.ts';
import { wireFields, wireText } from './wire.ts';
import { cutZipMap } from './zipmap.ts';

/** A model as the runtime gets it, and the inputs that its graph has gained. */
export interface ServedGraph {
  readonly bytes: Uint8Array;
  readonly caseInputs: readonly CaseInput[];
}

/**
 * Changes a model in memory into one that answers here as it did in training: ZipMap is cut, the change of letter case
 * comes before the graph. A model that needs neither comes back as it came.
 * @param bytes a ModelProto @throws MODEL_INVALID
 */
export async function graphForServing(bytes: Uint8Array): Promise<ServedGraph> {
  const cut = cutZipMap(bytes);
  if (!mayChangeCase(cut)) return { bytes: cut, caseInputs: [] };
  // Few models do, and it takes a protobuf library that the server would otherwise not load.
  const { moveLetterCase } = await import('./letter-case-surgery.ts');
  const moved = moveLetterCase(cut);
  return { bytes: moved.bytes, caseInputs: moved.inputs };
}

function mayChangeCase(bytes: Uint8Array): boolean {
  for (const graph of wireFields(bytes)) {
    if (graph.number !== 7 || graph.wireType !== 2) continue;
    for (const node of wireFields(bytes, graph.valueStart, graph.end)) {
      if (node.number !== 1 || node.wireType !== 2) continue;
      for (const part of wireFields(bytes, node.valueStart, node.end)) {
        if (part.number !== 4 || part.wireType !== 2) continue;
        const opType = wireText(bytes, part);
        if (opType === 'StringNormalizer' || WITH_GRAPHS.includes(opType)) return true;
      }
    }
  }
  return false;
}
