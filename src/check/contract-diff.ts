import { type Contract, describeSpec, isOpaque, type OpaqueContract, type TensorSpec } from '../contract/index.ts';

export type DiffVerdict = 'same' | 'compatible' | 'breaking';

/** One thing that differs between two contracts; `from` and `to` in words, undefined where there is none. */
export interface Change {
  readonly what: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly verdict: DiffVerdict;
}

/** What of a contract is compared. */
export type ComparedContract = Pick<
  Contract,
  | 'name'
  | 'version'
  | 'task'
  | 'inputs'
  | 'outputs'
  | 'prediction'
  | 'labels'
  | 'metrics'
  | 'server'
  | 'owner'
  | 'transform'
> & { readonly model: Pick<Contract['model'], 'digest' | 'sizeBytes'> };

/**
 * What changes for clients when `to` replaces `from`. Breaking is what a request that was right, or a client that read the
 * answer, would notice: docs/diff.md has the rules.
 */
export function diffContracts(
  from: ComparedContract | OpaqueContract,
  to: ComparedContract | OpaqueContract,
): Change[] {
  const changes: Change[] = [];
  const add = (what: string, a: string | undefined, b: string | undefined, verdict: DiffVerdict) => {
    if (a !== b)
      changes.push({ what, ...(a === undefined ? {} : { from: a }), ...(b === undefined ? {} : { to: b }), verdict });
  };
  add('name', from.name, to.name, 'breaking');
  add('version', from.version, to.version, 'compatible');
  add('task', from.task, to.task, 'breaking');
  add('format', formatOf(from), formatOf(to), 'breaking');
  if (told(from.inputs, to.inputs)) changes.push(...diffTensors('input', from.inputs, to.inputs, takesAll));
  if (told(from.outputs, to.outputs)) changes.push(...diffTensors('output', from.outputs, to.outputs, fits));
  if (!isOpaque(from) && !isOpaque(to)) {
    add('prediction', from.prediction, to.prediction, 'breaking');
    add('labels', namesOf(from), namesOf(to), from.labels ? 'breaking' : 'compatible');
    changes.push(...diffTransforms(from.transform, to.transform));
  }
  if (isOpaque(from) && isOpaque(to)) add('model path', from.model.target, to.model.target, 'compatible');
  add('model', from.model.digest, to.model.digest, 'compatible');
  add('model size', String(from.model.sizeBytes), String(to.model.sizeBytes), 'compatible');
  for (const name of new Set([...Object.keys(from.metrics ?? {}), ...Object.keys(to.metrics ?? {})])) {
    add(`metric ${name}`, from.metrics?.[name]?.toString(), to.metrics?.[name]?.toString(), 'compatible');
  }
  add('server cpu', from.server.cpu, to.server.cpu, 'compatible');
  add('server memory', from.server.memory, to.server.memory, 'compatible');
  add('owner', from.owner, to.owner, 'compatible');
  return changes;
}

const formatOf = (contract: ComparedContract | OpaqueContract) => (isOpaque(contract) ? 'opaque' : 'onnx');
const namesOf = (contract: ComparedContract) => contract.labels?.names.join(', ');

/** Of an opaque model nobody need have said what it takes and gives: then nothing can be told of it. */
const told = (from: readonly TensorSpec[], to: readonly TensorSpec[]) => from.length > 0 && to.length > 0;

/** With a transform requests are others than without; it may take more types, and its code may change, as a model's weights may. */
function diffTransforms(from: Contract['transform'], to: Contract['transform']): Change[] {
  if (!from && !to) return [];
  if (!from || !to)
    return [
      { what: 'transform', ...(from ? { from: from.file } : {}), ...(to ? { to: to.file } : {}), verdict: 'breaking' },
    ];
  const changes: Change[] = [];
  if (from.accepts.join() !== to.accepts.join())
    changes.push({
      what: 'transform accepts',
      from: from.accepts.join(', '),
      to: to.accepts.join(', '),
      verdict: from.accepts.every((type) => to.accepts.includes(type)) ? 'compatible' : 'breaking',
    });
  if (from.postprocess !== to.postprocess)
    changes.push({
      what: 'transform answer',
      from: from.postprocess ? 'its own' : 'prediction',
      to: to.postprocess ? 'its own' : 'prediction',
      verdict: 'breaking',
    });
  if (from.digest !== to.digest)
    changes.push({ what: 'transform', from: from.digest, to: to.digest, verdict: 'compatible' });
  return changes;
}

/** The gravest of the changes. */
export function verdictOf(changes: readonly Change[]): DiffVerdict {
  if (changes.some((change) => change.verdict === 'breaking')) return 'breaking';
  return changes.length > 0 ? 'compatible' : 'same';
}

function diffTensors(
  role: 'input' | 'output',
  from: readonly TensorSpec[],
  to: readonly TensorSpec[],
  compatible: (a: TensorSpec, b: TensorSpec) => boolean,
): Change[] {
  const changes: Change[] = [];
  for (const old of from) {
    const now = to.find((spec) => spec.name === old.name);
    if (now && describeSpec(now) === describeSpec(old)) continue;
    changes.push({
      what: `${role} ${old.name}`,
      from: describeSpec(old),
      ...(now ? { to: describeSpec(now) } : {}),
      verdict: now && compatible(old, now) ? 'compatible' : 'breaking',
    });
  }
  for (const now of to) {
    if (from.some((spec) => spec.name === now.name)) continue;
    // Requests of yesterday do not give an input that is new; an output that is new hurts nobody.
    changes.push({
      what: `${role} ${now.name}`,
      to: describeSpec(now),
      verdict: role === 'input' ? 'breaking' : 'compatible',
    });
  }
  return changes;
}

/** True when whatever fitted `a` fits `b`: the same datatype, and dimensions that are free or stay. */
function takesAll(a: TensorSpec, b: TensorSpec): boolean {
  return (
    a.datatype === b.datatype &&
    (!a.missing || b.missing !== undefined) &&
    a.shape.length === b.shape.length &&
    b.shape.every((size, axis) => size === -1 || size === a.shape[axis])
  );
}

/** True when whatever `b` answers was to be expected of `a`. */
function fits(a: TensorSpec, b: TensorSpec): boolean {
  return takesAll(b, a);
}
