import { isAbsolute } from 'node:path';
import { InlayError } from '../error/index.ts';

export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = 'TEXT' | 'JSON';

/** How the server runs; docs/server.md lists the environment variable, default and reason of each. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** Where gRPC is served: port 0 takes a free one; `asked`: it must be this one. Undefined: it is not served. */
  readonly grpc: { readonly port: number; readonly asked: boolean } | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** How long requests are still served after SIGTERM and after the last of them, milliseconds. */
  readonly drainMs: number;
  /** How long they are at most, milliseconds; where it is less than drainMs, that is. */
  readonly maxDrainMs: number;
  /** The largest request body, bytes. */
  readonly maxBodyBytes: number;
  /** Bodies that are on their way together, bytes. */
  readonly maxBodiesBytes: number;
  /** The largest head of a request, bytes. */
  readonly maxHeaderBytes: number;
  /** The most rows of one request. */
  readonly maxRequestRows: number;
  /** How long a body may take to come, milliseconds. */
  readonly bodyTimeoutMs: number;
  /** Rows that may wait for a run. */
  readonly maxQueueRows: number;
  /** How long a request may wait for its run, milliseconds. */
  readonly maxQueueMs: number;
  /** How long a run of the model or a serving thread may stand still before the server says that it is not live, milliseconds. */
  readonly livenessTimeoutMs: number;
  /** Connections that may be open, over HTTP and gRPC together. */
  readonly maxConnections: number;
  /** After about so long a connection is closed behind an answer, milliseconds; 0: never. */
  readonly maxConnectionAgeMs: number;
  /** How long a transform may wait for something, milliseconds. */
  readonly transformTimeoutMs: number;
  /** Plain requests of hot routes are read without Bun's HTTP server. */
  readonly directRequests: boolean;
  readonly accessLog: boolean;
  /** Where predictions are logged: `stdout`, a file's absolute path, or nowhere. */
  readonly predictionLog: string | undefined;
  /** A prediction log that would grow beyond it is begun anew, bytes; 0: never. */
  readonly predictionLogMaxBytes: number;
  /** Share of the predictions that are logged, from 0 to 1. */
  readonly predictionLogSample: number;
  /** Names of features or inputs whose values are left out of the log. */
  readonly predictionLogRedact: readonly string[];
}

export const DEFAULT_SETTINGS: Settings = {
  host: '0.0.0.0',
  port: 8000,
  grpc: { port: 8001, asked: false },
  logLevel: 'INFO',
  logFormat: 'TEXT',
  drainMs: 5_000,
  maxDrainMs: 0,
  maxBodyBytes: 16 * 1024 * 1024,
  maxBodiesBytes: 64 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxRequestRows: 100_000,
  bodyTimeoutMs: 30_000,
  maxQueueRows: 10_000,
  maxQueueMs: 1_000,
  livenessTimeoutMs: 4_000,
  maxConnections: 16_384,
  maxConnectionAgeMs: 300_000,
  transformTimeoutMs: 10_000,
  directRequests: true,
  accessLog: false,
  predictionLog: undefined,
  predictionLogMaxBytes: 100 * 1024 * 1024,
  predictionLogSample: 1,
  predictionLogRedact: [],
};

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the server's settings from environment variables; all mistakes are reported at once.
 * An empty variable counts as unset.
 * @throws ENVIRONMENT_INVALID
 */
export function readSettings(env: Environment): Settings {
  const mistakes: string[] = [];
  const read = <T>(name: string, fallback: T, parse: (text: string) => T | undefined, expected: string): T => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const value = parse(text);
    if (value === undefined) mistakes.push(`${name}=${text}: expected ${expected}`);
    return value ?? fallback;
  };
  const settings: Settings = {
    host: env.HOST || DEFAULT_SETTINGS.host,
    port: read('PORT', DEFAULT_SETTINGS.port, (text) => whole(text, 0, 65535), 'a port from 0 to 65535'),
    grpc: readGrpc(
      read<number | undefined>(
        'GRPC_PORT',
        undefined,
        (text) => whole(text, 0, 65535),
        'a port from 1 to 65535, or 0 for no gRPC',
      ),
      env.PORT,
    ),
    logLevel: read(
      'LOG_LEVEL',
      DEFAULT_SETTINGS.logLevel,
      (text) => LOG_LEVELS.find((level) => level === text.toUpperCase()),
      LOG_LEVELS.join(', '),
    ),
    logFormat: read(
      'LOG_FORMAT',
      DEFAULT_SETTINGS.logFormat,
      (text) => (['TEXT', 'JSON'] as const).find((format) => format === text.toUpperCase()),
      'TEXT or JSON',
    ),
    drainMs: read('DRAIN_S', DEFAULT_SETTINGS.drainMs, (text) => seconds(text, 3600), 'seconds from 0 to 3600'),
    maxDrainMs: read(
      'MAX_DRAIN_S',
      DEFAULT_SETTINGS.maxDrainMs,
      (text) => seconds(text, 3600),
      'seconds from 0 to 3600',
    ),
    maxBodyBytes: read(
      'MAX_BODY_BYTES',
      DEFAULT_SETTINGS.maxBodyBytes,
      (text) => whole(text, 1, 2 ** 31),
      'bytes from 1 to 2147483648',
    ),
    maxBodiesBytes: read(
      'MAX_BODIES_BYTES',
      DEFAULT_SETTINGS.maxBodiesBytes,
      (text) => whole(text, 1, 2 ** 40),
      'bytes from 1 to 1099511627776',
    ),
    maxHeaderBytes: read(
      'MAX_HEADER_BYTES',
      DEFAULT_SETTINGS.maxHeaderBytes,
      (text) => whole(text, 1024, 2 ** 20),
      'bytes from 1024 to 1048576',
    ),
    maxRequestRows: read(
      'MAX_REQUEST_ROWS',
      DEFAULT_SETTINGS.maxRequestRows,
      (text) => whole(text, 1, 1e9),
      'rows from 1 to 1000000000',
    ),
    bodyTimeoutMs: read(
      'BODY_TIMEOUT_S',
      DEFAULT_SETTINGS.bodyTimeoutMs,
      (text) => seconds(text, 3600) || undefined,
      'seconds above 0, to 3600',
    ),
    maxQueueRows: read(
      'MAX_QUEUE_ROWS',
      DEFAULT_SETTINGS.maxQueueRows,
      (text) => whole(text, 1, 1e9),
      'rows from 1 to 1000000000',
    ),
    maxQueueMs: read(
      'MAX_QUEUE_MS',
      DEFAULT_SETTINGS.maxQueueMs,
      (text) => whole(text, 1, 3.6e6),
      'milliseconds from 1 to 3600000',
    ),
    livenessTimeoutMs: read(
      'LIVENESS_TIMEOUT_S',
      DEFAULT_SETTINGS.livenessTimeoutMs,
      (text) => seconds(text, 3600) || undefined,
      'seconds above 0, to 3600',
    ),
    maxConnections: read(
      'MAX_CONNECTIONS',
      DEFAULT_SETTINGS.maxConnections,
      (text) => whole(text, 1, 1e6),
      'connections from 1 to 1000000',
    ),
    maxConnectionAgeMs: read(
      'MAX_CONNECTION_AGE_S',
      DEFAULT_SETTINGS.maxConnectionAgeMs,
      (text) => seconds(text, 86_400),
      'seconds from 0 to 86400',
    ),
    transformTimeoutMs: read(
      'TRANSFORM_TIMEOUT_S',
      DEFAULT_SETTINGS.transformTimeoutMs,
      (text) => seconds(text, 3600) || undefined,
      'seconds above 0, to 3600',
    ),
    directRequests: read('DIRECT_REQUESTS', DEFAULT_SETTINGS.directRequests, flag, 'true or false'),
    accessLog: read('ACCESS_LOG', DEFAULT_SETTINGS.accessLog, flag, 'true or false'),
    predictionLog: read<string | undefined>(
      'PREDICTION_LOG',
      DEFAULT_SETTINGS.predictionLog,
      (text) => (text === 'stdout' || isAbsolute(text) ? text : undefined),
      "stdout or a file's absolute path",
    ),
    predictionLogMaxBytes: read(
      'PREDICTION_LOG_MAX_BYTES',
      DEFAULT_SETTINGS.predictionLogMaxBytes,
      (text) => whole(text, 0, 2 ** 40),
      'bytes from 0 to 1099511627776',
    ),
    predictionLogSample: read(
      'PREDICTION_LOG_SAMPLE',
      DEFAULT_SETTINGS.predictionLogSample,
      (text) => (/^(0|1|0?\.\d+|1\.0+)$/.test(text) ? Number(text) : undefined),
      'a share from 0 to 1',
    ),
    predictionLogRedact: (env.PREDICTION_LOG_REDACT ?? '').split(',').flatMap((name) => name.trim() || []),
  };
  if (mistakes.length > 0) {
    throw new InlayError(
      'ENVIRONMENT_INVALID',
      `the environment has ${mistakes.length === 1 ? 'a mistake' : 'mistakes'}: ${mistakes.join('; ')}`,
      { hint: 'docs/server.md lists the variables.' },
    );
  }
  return settings;
}

/** Beside a free port for HTTP a free one for gRPC, so that many servers can run on one machine. */
function readGrpc(port: number | undefined, httpPort: string | undefined): Settings['grpc'] {
  if (port === undefined) return httpPort === '0' ? { port: 0, asked: false } : DEFAULT_SETTINGS.grpc;
  return port === 0 ? undefined : { port, asked: true };
}

function flag(text: string): boolean | undefined {
  return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined;
}

function whole(text: string, least: number, most: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

function seconds(text: string, most: number): number | undefined {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return value <= most ? value * 1000 : undefined;
}
