import { Document, isScalar, Scalar, visit } from 'yaml';
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

/** Words that YAML 1.1 or 1.2 reads as something else than text. */
const WORDS = /^(~|null|true|false|yes|no|on|off|y|n|<<|=|[-+]?\.(inf|nan))$/i;
/** What begins like a number, a date or a time and has nothing else in it: `0.1`, `1_000`, `1e3`, `0x1f`, `2026-11-24T12:00:00Z`. */
const NUMBERS = /^[-+.]*\d[-+.\d_:a-foxTZ ]*$/i;

/** Text that a reader of YAML 1.1 or 1.2 takes for something else, or that looks so to a person. */
function mistakable(text: string): boolean {
  return WORDS.test(text) || NUMBERS.test(text);
}
