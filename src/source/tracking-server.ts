import type { z } from 'zod';
import { InlayError } from '../error/index.ts';

export interface TrackingOptions {
  /** MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** A PEM file's text to trust besides the well-known ones. */
  readonly ca?: string | undefined;
}

const TRIES = 4;
const FIRST_WAIT_MS = 300;
const ANSWER_MS = 60_000;

/** An MLflow tracking server's REST API (MLflow, "REST API", version 2.0). Logins are sent to it alone, and named nowhere. */
export class TrackingServer {
  /** Without a login. */
  readonly url: string;
  readonly #authorization: string | undefined;
  readonly #options: TrackingOptions;

  /** @throws SOURCE_INVALID where MLFLOW_TRACKING_URI names no server */
  constructor(options: TrackingOptions) {
    const { env } = options;
    const text = env.MLFLOW_TRACKING_URI;
    if (!text || !/^https?:\/\//.test(text) || !URL.canParse(text))
      throw new InlayError(
        'SOURCE_INVALID',
        text ? 'MLFLOW_TRACKING_URI is no http(s) address' : 'MLFLOW_TRACKING_URI is not set',
        {
          hint: 'Set it to the MLflow server that has the model: https://mlflow.example.com.',
        },
      );
    const url = new URL(text);
    const user = env.MLFLOW_TRACKING_USERNAME || decodeURIComponent(url.username);
    const password = env.MLFLOW_TRACKING_PASSWORD || decodeURIComponent(url.password);
    this.#authorization = env.MLFLOW_TRACKING_TOKEN
      ? `Bearer ${env.MLFLOW_TRACKING_TOKEN}`
      : user !== ''
        ? `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
        : undefined;
    this.url = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
    this.#options = options;
  }

  /** GET of an API. @param what for messages @throws SOURCE_UNREACHABLE, SOURCE_UNAUTHORIZED, SOURCE_NOT_FOUND, SOURCE_FAILED */
  async get<T>(api: string, query: Readonly<Record<string, string>>, schema: z.ZodType<T>, what: string): Promise<T> {
    const response = await this.request(`/api/2.0/${api}?${new URLSearchParams(query)}`, what);
    const text = await response.text();
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new InlayError('SOURCE_FAILED', `${what}: ${this.url} does not answer as MLflow does`, {
        cause,
        hint: 'Is MLFLOW_TRACKING_URI the address of an MLflow server?',
      });
    }
  }

  /** A GET whose body is for the caller to read. */
  async request(path: string, what: string): Promise<Response> {
    const { signal, ca } = this.#options;
    let last: unknown;
    for (let attempt = 0, waitMs = FIRST_WAIT_MS; attempt < TRIES; attempt++, waitMs *= 3) {
      if (signal?.aborted) throw new InlayError('INTERRUPTED', `${what} was stopped`);
      if (attempt > 0) await Bun.sleep(waitMs);
      let response: Response;
      try {
        response = await this.#fetch(`${this.url}${path}`, signal, ca);
      } catch (cause) {
        if (signal?.aborted) throw new InlayError('INTERRUPTED', `${what} was stopped`, { cause });
        last = cause;
        continue;
      }
      if (response.ok) return response;
      if (response.status !== 429 && response.status < 500) throw await this.#refused(response, what);
      last = new Error(`status ${response.status}`);
      await response.body?.cancel();
    }
    throw new InlayError('SOURCE_UNREACHABLE', `${what}: ${this.url} does not answer: ${(last as Error).message}`, {
      cause: last,
      hint: 'Is MLFLOW_TRACKING_URI right, and the server up?',
    });
  }

  async #fetch(url: string, signal: AbortSignal | undefined, ca: string | undefined): Promise<Response> {
    // Time for the headers alone: a body of gigabytes takes its own.
    const answered = new AbortController();
    const timer = setTimeout(() => answered.abort(new Error('no answer in 60 s')), ANSWER_MS);
    try {
      return await fetch(url, {
        headers: this.#authorization === undefined ? {} : { authorization: this.#authorization },
        signal: signal ? AbortSignal.any([signal, answered.signal]) : answered.signal,
        ...(ca === undefined ? {} : { tls: { ca } }),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #refused(response: Response, what: string): Promise<InlayError> {
    const { status } = response;
    const said = messageOf(await response.text());
    if (status === 401 || status === 403)
      return new InlayError('SOURCE_UNAUTHORIZED', `${what}: ${this.url} answered ${status}${said}`, {
        hint: 'Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.',
      });
    if (status === 404)
      return new InlayError('SOURCE_NOT_FOUND', `${what}: ${this.url} has none${said}`, {
        hint: 'Look for a typing mistake in source: of inlay.yaml.',
      });
    return new InlayError('SOURCE_FAILED', `${what}: ${this.url} answered ${status}${said}`, {});
  }
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return `: ${message.slice(0, 300)}`;
  } catch {
    // A page for browsers says nothing here.
  }
  return '';
}
