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

export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
