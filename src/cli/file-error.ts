import { type ErrorCode, InlayError, isDiskFull } from '../error/index.ts';

const REFUSED = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EIO', 'ELOOP', 'ENAMETOOLONG', 'EXDEV'];

/**
 * What the operating system says of files and folders, as an error for the person who can mend it: a full disk or a folder of somebody
 * else's is no fault of inlay's. Any other error is given back as it is.
 */
export function toldOfFiles(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof InlayError || !('code' in error)) return error;
  const as = (code: ErrorCode, hint: string) => new InlayError(code, error.message, { cause: error, hint });
  if (isDiskFull(error))
    return as(
      'DISK_FULL',
      'df tells which file system is full. Free some of it (inlay prune --local looks at INLAY_HOME), and run it again.',
    );
  // A program that cannot be started and a port that cannot be had have no path.
  if (
    REFUSED.includes(String(error.code)) &&
    'path' in error &&
    !String('syscall' in error && error.syscall).includes('spawn')
  )
    return as(
      'FILE_REFUSED',
      'See whose it is and what lies there (ls -ld), or name another folder; for inlay’s own that is INLAY_HOME.',
    );
  return error;
}
