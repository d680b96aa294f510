/** How bodies of the types that a transform takes are given: as a file, or as text that is typed in. */
export interface Accepted {
  /** For the `accept` of a file's control; undefined where no files are taken. */
  readonly files: string | undefined;
  /** The type of what is typed in; undefined where all types are those of files. */
  readonly typed: string | undefined;
  /** Whether files are images alone. */
  readonly images: boolean;
}

export function acceptedOf(types: readonly string[]): Accepted {
  const typed = types.find(isTyped);
  const files = types.filter((type) => !isTyped(type));
  return {
    files: files.length === 0 ? undefined : files.join(','),
    typed,
    images: files.length > 0 && files.every((type) => type.startsWith('image/')),
  };
}

/** The accepted type that a file is of, as the browser says; the first where it does not know the file's kind. */
export function typeOfFile(types: readonly string[], type: string): string {
  const known = types.includes(type) || types.includes(`${type.split('/', 1)[0]}/*`);
  return known || type !== ''
    ? type
    : (types.find((one) => !isTyped(one) && !one.endsWith('*')) ?? 'application/octet-stream');
}

export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

function isTyped(type: string): boolean {
  return isJson(type) || type === 'text/plain';
}
