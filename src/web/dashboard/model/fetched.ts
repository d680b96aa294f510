/** Why there is no answer. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** A token would help. */
  readonly login: boolean;
}

export type Fetched<T> = { readonly answer: T } | { readonly failure: Failure };

/** Asks the hub; never throws. @param path relative: `api/now` */
export async function ask<T>(path: string, init?: RequestInit): Promise<Fetched<T>> {
  try {
    const response = await fetch(path, init);
    if (response.ok) return { answer: (await response.json()) as T };
    const body = (await response.json().catch(() => null)) as { error?: Omit<Failure, 'login'> } | null;
    const login = response.status === 401 && response.headers.has('www-authenticate');
    if (body?.error) return { failure: { ...body.error, login } };
    // A proxy's own page, for example.
    return { failure: { code: `HTTP ${response.status}`, message: 'The answer is not one of the hub.', login } };
  } catch {
    return {
      failure: {
        code: 'NO_ANSWER',
        message: 'The hub does not answer.',
        hint: 'Is inlay hub still running, and does this machine reach it? The page asks again by itself.',
        login: false,
      },
    };
  }
}
