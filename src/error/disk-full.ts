const FULL = ['ENOSPC', 'EDQUOT'];

/** Whether the operating system says that a disk, or somebody's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL.includes(String(error.code));
}
