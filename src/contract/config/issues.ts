import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * A union's issue is the issues of the branch that the value was meant for: the one whose kind it is. `false or an object` given
 * an object with a mistake tells the mistake. Issues of other kinds stay as they are.
 */
export function meantIssues(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.filter((branch) =>
    branch.every((one) => one.path.length > 0 || one.code === UNKNOWN_KEYS),
  );
  const [branch, another] = meant;
  if (branch === undefined || another !== undefined) return [issue];
  return branch.flatMap((one) => meantIssues({ ...one, path: [...issue.path, ...one.path] }));
}

const UNKNOWN_KEYS = 'unrecognized_keys';

/** What zod says when nobody said anything better. */
const NOTHING_SAID = 'Invalid input';

/** What was expected, in words. @param found the kind of what is there */
export function messageOf(issue: Issue, found: string): string {
  if (issue.code === 'invalid_type') return `expected ${issue.expected}, found ${found}`;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code !== 'invalid_union' || issue.message !== NOTHING_SAID) return issue.message;
  const expected = issue.errors.flat().flatMap((one) => {
    if (one.path.length > 0) return [];
    if (one.code === 'invalid_type') return [one.expected];
    return one.code === 'invalid_value' ? one.values.map(String) : [one.message];
  });
  return `expected ${[...new Set(expected)].join(' or ')}, found ${found}`;
}
