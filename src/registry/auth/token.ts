import { z } from 'zod';
import type { Credential } from './auth-file.ts';
import type { Challenge } from './challenge.ts';

/** A bearer token and when to stop using it (milliseconds since 1970). */
export interface Token {
  readonly value: string;
  readonly renewAtMs: number;
  /** The login for next time, where the server has changed it (OAuth2 refresh tokens). */
  readonly refreshToken?: string;
}

export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly form?: string;
}

const CLIENT_ID = 'inlay';
/** What a token lives when its server does not say (distribution, token specification). */
const DEFAULT_LIFE_S = 60;

/**
 * How to ask for a token: with a password or as nobody by GET (distribution, "Token Authentication Specification"), with a
 * refresh token by POST ("OAuth2 token specification").
 */
export function tokenRequest(
  realm: URL,
  challenge: Challenge,
  scopes: readonly string[],
  credential: Credential | undefined,
): TokenRequest {
  const { service } = challenge.params;
  if (credential?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      refresh_token: credential.token,
    });
    if (service !== undefined) form.set('service', service);
    form.set('scope', scopes.join(' '));
    return {
      method: 'POST',
      url: realm,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      form: form.toString(),
    };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credential?.kind === 'password') url.searchParams.set('account', credential.username);
  return {
    method: 'GET',
    url,
    headers: credential?.kind === 'password' ? { authorization: basicHeader(credential) } : {},
  };
}

export function basicHeader(credential: Extract<Credential, { kind: 'password' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`;
}

const answerSchema = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  refresh_token: z.string().optional(),
  expires_in: z.number().nullish(),
});

/** Reads the token server's answer; undefined when there is no token in it. */
export function parseToken(body: string, nowMs: number): Token | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const answer = answerSchema.safeParse(json).data;
  const value = answer?.token || answer?.access_token;
  if (!answer || !value) return undefined;
  // A fifth of its life early, so that it does not run out under a request. issued_at is the server's clock, which may be off.
  const lifeMs = Math.max(answer.expires_in ?? DEFAULT_LIFE_S, 1) * 1000;
  return {
    value,
    renewAtMs: nowMs + lifeMs * 0.8,
    ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
  };
}
