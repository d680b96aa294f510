import { Document, isScalar, parse, Scalar, visit } from 'yaml';
import type { KubeObject } from './object.ts';

/** What a person who misses something is told, by kind. */
const COMMENTS: Readonly<Record<string, string>> = {
  Deployment:
    ' No replicas, on purpose: they are the HorizontalPodAutoscaler’s, and what applies this file again must not set\n them back. inlay deploy starts a first release with deploy.replicas.initial pods.',
};

/** Objects as one YAML stream: the same bytes for the same objects. */
export function toYaml(objects: readonly KubeObject[]): string {
  return objects.map(objectYaml).join('---\n');
}

export function objectYaml(object: KubeObject): string {
  return stringify(object, COMMENTS[object.kind]);
}

/** @param comment stands above */
export function stringify(value: unknown, comment?: string): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(key, node) {
      if (key !== 'key' && isScalar(node) && typeof node.value === 'string' && mistakable(node.value))
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  if (comment !== undefined) document.commentBefore = comment;
  return document.toString({ lineWidth: 0 });
}

/** Text that a reader of YAML 1.1 or 1.2 takes for something else (`on`, `0.1`, `1_000`), or that looks so to a person. */
function mistakable(text: string): boolean {
  if (/^[-+\d.:_]+$/.test(text)) return true;
  if (text.length > 40 || !/^[\w.+~-]+$/.test(text)) return false;
  return (['1.1', '1.2'] as const).some((version) => typeof parse(text, { version }) !== 'string');
}
