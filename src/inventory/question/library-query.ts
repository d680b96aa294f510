import { InlayError } from '../../error/index.ts';
import { compareVersions } from './version-order.ts';

/** Of a library, versions that fit all conditions. */
export interface LibraryQuery {
  readonly name: string;
  readonly conditions: readonly { readonly operator: Operator; readonly version: string }[];
}

type Operator = '<' | '<=' | '=' | '!=' | '>=' | '>';

const FITS: Readonly<Record<Operator, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '>=': (order) => order >= 0,
  '>': (order) => order > 0,
};

/**
 * Reads `onnxruntime`, `onnxruntime<1.30`, `libssl3>=3.0.14,<3.0.16`.
 * @throws USAGE
 */
export function parseLibraryQuery(text: string): LibraryQuery {
  const [, name, rest = ''] = /^\s*([@\w][\w.+@/-]*?)\s*((?:[<>=!].*)?)$/.exec(text) ?? [];
  if (name === undefined) throw wrong(text);
  const conditions = rest === '' ? [] : rest.split(',').map((part) => condition(part.trim(), text));
  return { name: canonical(name), conditions };
}

function condition(part: string, text: string) {
  const [, operator, version] = /^(<=|>=|==|!=|<|>|=)\s*([\w.+:~!-]+)$/.exec(part) ?? [];
  if (operator === undefined || version === undefined) throw wrong(text);
  return { operator: (operator === '==' ? '=' : operator) as Operator, version };
}

function wrong(text: string): InlayError {
  return new InlayError('USAGE', `"${text}" asks for no library`, {
    hint: "Write its name, and conditions after it, in quotes: 'onnxruntime<1.30', 'libssl3>=3.0.14,<3.0.16'.",
  });
}

/** Whether one of the libraries is asked for. */
export function matchesLibrary(libraries: Readonly<Record<string, string>>, query: LibraryQuery): boolean {
  const version = versionOf(libraries, query.name);
  return (
    version !== undefined && query.conditions.every((one) => FITS[one.operator](compareVersions(version, one.version)))
  );
}

/** Of a library that a query names, as parsed. */
export function versionOf(libraries: Readonly<Record<string, string>>, name: string): string | undefined {
  const direct = libraries[name];
  if (direct !== undefined) return direct;
  return Object.entries(libraries).find(([key]) => canonical(key) === name)?.[1];
}

/** Python's names are the same in any case, with - or _ (PEP 503). */
function canonical(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
