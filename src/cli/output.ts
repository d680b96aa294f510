import { isInlayError } from '../error/index.ts';
import { toldOfFiles } from './file-error.ts';

/** Exit codes that scripts may rely on. */
export const EXIT = { done: 0, no: 1, usage: 2, outside: 3, interrupted: 130 } as const;

/** Where a command's words go: results to stdout, everything else to stderr. */
export interface Output {
  readonly json: boolean;
  /** A result: text for people, or the one JSON document of `--json`. */
  result(text: string, document: unknown): void;
  /** Progress; silent with `--json`. */
  progress(line: string): void;
  /** How far work is, on a line that the next word takes; undefined where nobody watches: in a pipe, or with `--json`. */
  readonly status: ((line: string) => void) | undefined;
}

const CLEAR_LINE = '\r\x1b[K';

export function createOutput(json: boolean): Output {
  const { stderr, stdout } = process;
  const watched = !json && stderr.isTTY === true && process.env.TERM !== 'dumb';
  const clear = () => void (watched && stderr.write(CLEAR_LINE));
  return {
    json,
    result: (text, document) => {
      clear();
      stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : text.endsWith('\n') ? text : `${text}\n`);
    },
    progress: (line) => {
      clear();
      if (!json) stderr.write(`${line}\n`);
    },
    status: watched
      ? (line) => void stderr.write(`${CLEAR_LINE}${line.slice(0, (stderr.columns || 80) - 1)}`)
      : undefined,
  };
}

/** The exit code that fits an error. */
export function exitOf(error: unknown): number {
  return (isInlayError(error) ? EXIT_OF[error.code] : undefined) ?? EXIT.outside;
}

/** Writes an error for people, or as JSON, to stderr, and returns the exit code that fits. */
export function reportError(thrown: unknown, json: boolean): number {
  const error = toldOfFiles(thrown);
  const known = isInlayError(error);
  const code = known ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const hint = known
    ? error.hint
    : 'This is a fault in inlay. Run it again with INLAY_DEBUG=1 and report what it prints.';
  // A status may stand on the line.
  if (!json && process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, ...(hint ? { hint } : {}) } })}\n`);
  else process.stderr.write(`error ${code}: ${message}\n${hint ? `  ${hint}\n` : ''}`);
  if (process.env.INLAY_DEBUG && error instanceof Error)
    process.stderr.write(`${error.stack}\n${error.cause ? `caused by: ${String(error.cause)}\n` : ''}`);
  return exitOf(error);
}

/** Codes whose exit code is not 3, "something outside failed". */
const EXIT_OF: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  PROJECT_NOT_FOUND: EXIT.usage,
  PROJECT_EXISTS: EXIT.usage,
  ENVIRONMENT_INVALID: EXIT.usage,
  PATH_ESCAPES: EXIT.usage,
  PLATFORM_UNSUPPORTED: EXIT.usage,
  REFERENCE_INVALID: EXIT.usage,
  HUB_TOKEN_MISSING: EXIT.usage,
  IMAGE_OUTDATED: EXIT.no,
  TAG_EXISTS: EXIT.no,
  KEY_INVALID: EXIT.usage,
  SIGNATURE_MISSING: EXIT.no,
  SIGNATURE_INVALID: EXIT.no,
  INTERRUPTED: EXIT.interrupted,
  KUBECONFIG_INVALID: EXIT.usage,
  SERVICE_NOT_FOUND: EXIT.no,
  RELEASE_BUSY: EXIT.no,
  RELEASE_UNFINISHED: EXIT.no,
  RELEASE_REFUSED: EXIT.no,
  RELEASE_FAILED: EXIT.no,
  RELEASE_PAUSED: EXIT.no,
  NOTHING_TO_DO: EXIT.no,
  PRUNE_UNDECLARED: EXIT.no,
  PRUNE_REFUSED: EXIT.no,
  PRUNE_BUSY: EXIT.no,
  CLOCK_WRONG: EXIT.no,
  VERSION_TAKEN: EXIT.no,
  SOURCE_INVALID: EXIT.usage,
  FILE_NOT_FOUND: EXIT.no,
  LABELS_INVALID: EXIT.no,
  CONTRACT_INVALID: EXIT.no,
  MODEL_INVALID: EXIT.no,
  MODEL_UNSUPPORTED: EXIT.no,
  MODEL_LOAD_FAILED: EXIT.no,
  INPUT_INVALID: EXIT.no,
  SAMPLE_INVALID: EXIT.no,
  MODEL_FORMAT: EXIT.no,
  MODEL_OPAQUE: EXIT.no,
  EXTERNAL_DATA_MISSING: EXIT.no,
  EXTERNAL_DATA_ESCAPES: EXIT.no,
  EXTERNAL_DATA_SHORT: EXIT.no,
  GOLDEN_INVALID: EXIT.no,
  FEATURES_INVALID: EXIT.no,
  GOLDEN_DTYPE: EXIT.no,
  GOLDEN_MISMATCH: EXIT.no,
  METRICS_INVALID: EXIT.no,
  CHECK_FAILED: EXIT.no,
  TRANSFORM_INVALID: EXIT.no,
  TRANSFORM_NATIVE: EXIT.no,
  TRANSFORM_FAILED: EXIT.no,
  TRANSFORM_TIMEOUT: EXIT.no,
  OUTPUT_NOT_FINITE: EXIT.no,
};

/** `1.4 MB`, `312 kB`, `870 B`: powers of 1000, as registries and disks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}

/** `0.2 s` or `41 ms`. */
export function formatMs(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}

/** Rows with their columns in line, two blanks between them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
