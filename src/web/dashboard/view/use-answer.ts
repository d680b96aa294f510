import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, type Failure, type Fetched } from '../model/fetched.ts';
import { useLive } from './live.ts';

export interface Asked<T> {
  readonly answer: T | undefined;
  readonly failure: Failure | undefined;
  readonly loading: boolean;
}

/** At most so often while things change. */
const AGAIN_MS = 2000;

/**
 * The hub's answer, asked again when what runs has changed. While another is awaited the last one stays.
 * @param path relative, undefined to ask nothing @param still the answer does not depend on what runs
 */
export function useAnswer<T>(path: string | undefined, still = false): Asked<T> {
  const live = useLive();
  const [got, setGot] = useState<{ readonly path: string; readonly fetched: Fetched<T> }>();
  const askedAt = useRef(0);
  const wanted = useRef(path);
  wanted.current = path;
  const changes = still ? 0 : live.changes;
  const login = live.failure?.login === true;
  const away = live.state === 'reconnecting';
  const asked = useRef<string>(undefined);
  useEffect(() => {
    if (path === undefined || login || away) return;
    const other = asked.current !== path;
    const wait = other ? 0 : Math.max(0, askedAt.current + AGAIN_MS - performance.now());
    const timer = setTimeout(async () => {
      asked.current = path;
      askedAt.current = performance.now();
      const fetched = await ask<T>(path);
      if (wanted.current !== path) return;
      setGot({ path, fetched });
      if ('failure' in fetched && fetched.failure.login) void live.load();
    }, wait);
    return () => clearTimeout(timer);
  }, [path, changes, login, away, live]);
  if (path === undefined) return { answer: undefined, failure: undefined, loading: false };
  const answer = got && 'answer' in got.fetched ? got.fetched.answer : undefined;
  const failure = got?.path === path && 'failure' in got.fetched ? got.fetched.failure : undefined;
  return { answer, failure, loading: got?.path !== path };
}
