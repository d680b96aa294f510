import { isScalar, LineCounter, type Node, type Pair, parseDocument, Scalar, visit } from 'yaml';
import type { z } from 'zod';
import { didYouMean, InlayError } from '../../error/index.ts';
import { meantIssues, messageOf } from './issues.ts';
import { type Config, configJsonSchema, configSchema } from './schema.ts';

/** One mistake in inlay.yaml. */
export interface Mistake {
  /** Lines and columns count from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

/**
 * Parses inlay.yaml. All mistakes are reported at once, each with its line and what to write instead.
 * @param text the file's content @param file how to name it in messages
 * @throws CONFIG_INVALID
 */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    throw invalid(
      file,
      document.errors.map((error) => ({
        ...at(error.pos[0]),
        message: error.message,
        hint: 'The file is not valid YAML.',
      })),
    );
  }
  const value: unknown = document.toJS() ?? {};
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;

  const place = (path: readonly PropertyKey[]) => {
    // The nearest place that exists: a missing key is reported at the mapping that should hold it.
    for (let depth = path.length; depth >= 0; depth--) {
      const node = depth === 0 ? document.contents : (document.getIn(path.slice(0, depth), true) as Node | undefined);
      if (node?.range) return at(node.range[0]);
    }
    return { line: 1, column: 1 };
  };
  const keyPlace = (path: readonly PropertyKey[], key: string) => {
    let found = place(path);
    const parent = path.length === 0 ? document.contents : (document.getIn(path, true) as Node | undefined);
    if (parent) {
      visit(parent, {
        Pair(_, pair: Pair) {
          if (isScalar(pair.key) && pair.key.value === key && pair.key.range) {
            found = at(pair.key.range[0]);
            return visit.BREAK;
          }
          return visit.SKIP;
        },
      });
    }
    return found;
  };
  const source = (path: readonly PropertyKey[]) => {
    const node = document.getIn(path, true);
    return node instanceof Scalar ? node.source : undefined;
  };
  const mistakes = parsed.error.issues
    .flatMap(meantIssues)
    .flatMap((issue) => mistakesOf(issue, { place, keyPlace, source, value: valueAt(value, issue.path) }));
  throw invalid(
    file,
    mistakes.sort((a, b) => a.line - b.line || a.column - b.column),
  );
}

interface Look {
  place(path: readonly PropertyKey[]): { line: number; column: number };
  keyPlace(path: readonly PropertyKey[], key: string): { line: number; column: number };
  source(path: readonly PropertyKey[]): string | undefined;
  readonly value: unknown;
}

function mistakesOf(issue: z.core.$ZodIssue, look: Look): Mistake[] {
  const name = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => {
      const meant = didYouMean(key, known);
      const hint = meant ? `Did you mean ${meant}?` : `Known here: ${known.join(', ')}.`;
      return { ...look.keyPlace(issue.path, key), message: `unknown key ${[...issue.path, key].join('.')}`, hint };
    });
  }
  const place = look.place(issue.path);
  if (issue.path.length === 0) {
    return [{ ...place, message: 'expected keys and values', hint: 'Write at least name, version and model.' }];
  }
  if (look.value === undefined) return [{ ...place, message: `${name} is missing`, hint: EXAMPLES[name] }];
  if (name === 'version' && typeof look.value === 'number') {
    const written = look.source(issue.path) ?? String(look.value);
    return [
      {
        ...place,
        message: `version ${written} is a number, and a version is text: YAML reads it as ${look.value}`,
        hint: `Write version: "${written}"`,
      },
    ];
  }
  const message = lowerFirst(messageOf(issue, kindOf(look.value)));
  return [{ ...place, message: `${name}: ${message}`, hint: EXAMPLES[name] }];
}

const EXAMPLES: Readonly<Record<string, string>> = {
  name: 'For example: name: iris',
  version: 'For example: version: "0.0.1"',
  model: 'For example: model: models/iris.onnx',
  labels: 'For example: labels: models/label.json',
  image: 'For example: image: registry.example.com/ml/iris',
  base: 'Leave it out, or write base: apt, or an image: base: gcr.io/distroless/cc-debian12',
  transform: 'For example: transform: transform.ts',
};

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** Keys that the schema knows in the object at `path`. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let nodes: readonly SchemaNode[] = [configJsonSchema() as SchemaNode];
  for (const step of path) nodes = nodes.flatMap(branches).flatMap((node) => inside(node, step));
  return nodes.flatMap(branches).flatMap((node) => Object.keys(node.properties ?? {}));
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf?.flatMap(branches) ?? [node];
}

function inside(node: SchemaNode, step: PropertyKey): readonly SchemaNode[] {
  if (typeof step === 'number') return node.items ? [node.items] : [];
  const { properties, additionalProperties } = node;
  const found = properties?.[String(step)] ?? additionalProperties;
  return typeof found === 'object' ? [found] : [];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, step) =>
      node === null || typeof node !== 'object' ? undefined : (node as Record<PropertyKey, unknown>)[step],
    value,
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  return Array.isArray(value) ? 'a list' : typeof value;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function invalid(file: string, mistakes: readonly Mistake[]): InlayError {
  const rows = mistakes.map((m) => `${file}:${m.line}:${m.column}: ${m.message}${m.hint ? `\n      ${m.hint}` : ''}`);
  const head = mistakes.length === 1 ? `${file} has a mistake` : `${file} has ${mistakes.length} mistakes`;
  return new InlayError('CONFIG_INVALID', [head, ...rows].join('\n    '));
}
