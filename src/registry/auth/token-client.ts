import type { InlayError } from '../../error/index.ts';
import { interrupted, type RegistryAnswer } from '../failure.ts';
import { readBody } from '../http/answer-body.ts';
import { isTransient, parseRetryAfter } from '../http/backoff.ts';
import { isLoopback } from '../http/proxy.ts';
import { NetworkFailure, type Transport } from '../http/transport.ts';
import { bytesBody, type Repository } from '../repository.ts';
import type { Credential } from './auth-file.ts';
import type { Challenge } from './challenge.ts';
import { parseToken, type Token, tokenRequest } from './token.ts';

export interface TokenQuery {
  readonly repository: Repository;
  readonly transport: Transport;
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
}

const STEP = 'logging in';
const TOKEN_LIMIT = 1 << 20;

/** Fetches a token from the server that the registry names. Redirects are not followed: the login would go along. */
export async function fetchToken({ repository, transport, challenge, scopes, credential }: TokenQuery): Promise<Token> {
  const realm = realmOf(repository, challenge);
  const { method, url, headers, form } = tokenRequest(realm, challenge, scopes, credential);
  const body = form === undefined ? undefined : bytesBody(new TextEncoder().encode(form));
  const { signal } = repository;
  const patience = repository.patience(STEP);
  for (;;) {
    try {
      const response = await transport.send({ method, url, headers, body, signal });
      if (response.status !== 200) {
        const answer = await repository.answer(response);
        if (!isTransient(answer.status)) throw refused(repository, answer, realm, credential);
        await patience.failed(answer, parseRetryAfter(response.headers.get('retry-after'), repository.now));
        continue;
      }
      const bytes = await readBody(response, TOKEN_LIMIT, signal);
      const token = bytes && parseToken(new TextDecoder().decode(bytes), repository.now);
      if (token) return token;
      throw repository.failure('REGISTRY_FAILED', STEP, `the token server ${realm.host} answered without a token`, {
        hint: `Ask who runs ${repository.host}.`,
      });
    } catch (error) {
      if (signal?.aborted) throw interrupted(repository.where(STEP));
      if (!(error instanceof NetworkFailure)) throw error;
      await patience.failed(error);
    }
  }
}

/** Where tokens are fetched; it gets the login, so it must not be in the clear where the registry is not. */
function realmOf(repository: Repository, challenge: Challenge): URL {
  const text = challenge.params.realm ?? '';
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  const plain = realm?.protocol === 'http:' && (repository.plain || isLoopback(realm.hostname));
  if (realm && (realm.protocol === 'https:' || plain)) return realm;
  throw repository.failure(
    'REGISTRY_FAILED',
    STEP,
    `its token server "${realm?.host ?? text}" is not reached over HTTPS`,
    { hint: `inlay sends no login there. Ask who runs ${repository.host}.` },
  );
}

function refused(
  repository: Repository,
  answer: RegistryAnswer,
  realm: URL,
  credential: Credential | undefined,
): InlayError {
  if (![400, 401, 403].includes(answer.status)) return repository.refused(STEP, answer);
  const said = answer.text === '' ? '' : ` (${answer.text})`;
  const who = credential === undefined ? 'without a login' : 'this login';
  return repository.failure('REGISTRY_UNAUTHORIZED', STEP, `${realm.host} refuses ${who}: ${answer.status}${said}`, {
    hint: `Log in anew with docker login ${repository.host} or podman login ${repository.host}, or set INLAY_REGISTRY_USERNAME and INLAY_REGISTRY_PASSWORD.`,
  });
}
