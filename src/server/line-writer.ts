import type { BunFile } from 'bun';

/**
 * Writes lines to stdout or stderr at once, without waiting for who reads them. Not process.stderr: it loads Node's streams, a tenth
 * of a small model's start.
 */
export function lineWriter(file: BunFile): (line: string) => void {
  const sink = file.writer();
  // Nobody who reads the log any more is no reason to stop serving.
  const lost = () => {};
  return (line) => {
    sink.write(line);
    const flushed = sink.flush();
    if (flushed instanceof Promise) flushed.catch(lost);
  };
}
