import { z } from 'zod';
import type { Repository } from '../repository.ts';
import { nextPage } from './pages.ts';

const LIMIT = 4 * 2 ** 20;
const PAGE = 1000;
const listSchema = z.object({ tags: z.array(z.string()).nullish() });

/** All tags of a repository, in the registry's order; undefined when there is no such repository. */
export async function readTags(repository: Repository, step = 'listing tags'): Promise<string[] | undefined> {
  const tags: string[] = [];
  let target: string | URL = `tags/list?n=${PAGE}`;
  for (const seen = new Set<string>(); ; ) {
    const { response, bytes } = await repository.read({ step, method: 'GET', target, expect: [200, 404] }, LIMIT);
    if (response.status === 404) return undefined;
    const parsed = listSchema.safeParse(jsonOf(bytes)).data;
    if (!parsed)
      throw repository.failure('REGISTRY_FAILED', step, 'the answer is not a list of tags', {
        hint: `Ask who runs ${repository.host}.`,
      });
    tags.push(...(parsed.tags ?? []));
    const next = nextPage(response, repository.url(target));
    if (next === undefined || !repository.owns(next) || seen.has(next.href)) return tags;
    seen.add(next.href);
    target = next;
  }
}

/**
 * Every tag of a repository, for whoever decides by what is not there; undefined when there is no such repository. Registries that cut
 * their lists without saying so (no Link) are asked for what comes after the last tag until nothing new does.
 * @throws REGISTRY_FAILED where the list leads elsewhere, or in circles
 */
export async function readEveryTag(repository: Repository): Promise<ReadonlySet<string> | undefined> {
  const step = 'listing all tags';
  const tags = new Set<string>();
  const seen = new Set<string>();
  let target: string | URL = `tags/list?n=${PAGE}`;
  for (let first = true; ; first = false) {
    const { response, bytes } = await repository.read({ step, method: 'GET', target, expect: [200, 404] }, LIMIT);
    if (response.status === 404 && first) return undefined;
    const parsed = response.status === 404 ? undefined : listSchema.safeParse(jsonOf(bytes)).data;
    if (!parsed) throw cutOff(repository, step, 'the answer is not a list of tags');
    const before = tags.size;
    for (const tag of parsed.tags ?? []) tags.add(tag);
    const next = nextPage(response, repository.url(target));
    if (next !== undefined) {
      if (!repository.owns(next)) throw cutOff(repository, step, `the list goes on at ${next.host}`);
      if (seen.has(next.href)) throw cutOff(repository, step, 'the list leads back to a page that was read');
      seen.add(next.href);
      target = next;
      continue;
    }
    const last = parsed.tags?.at(-1);
    if (last === undefined || tags.size === before) return tags;
    target = `tags/list?n=${PAGE}&last=${encodeURIComponent(last)}`;
  }
}

function cutOff(repository: Repository, step: string, what: string) {
  return repository.failure('REGISTRY_FAILED', step, what, { hint: `Ask who runs ${repository.host}.` });
}

export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
