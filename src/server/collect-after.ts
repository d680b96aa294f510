/** Smaller bodies are garbage that Bun collects by itself, bytes. */
const LARGE = 2 ** 20;
/** So much of large bodies is worth a collection, some 10 ms, bytes. */
const MUCH = 16 * 2 ** 20;

/** What came to this thread since its last collection here. */
let came = 0;

/**
 * Gives back what earlier large bodies took, where that is much, before this one takes more: memory outside of JavaScript's heap does not
 * make Bun collect, and values of a large body take ten times its bytes. A container of 300Mi would be ended by some bodies in a row.
 * @param bytes of a body that is read or parsed now
 */
export function collectAfter(bytes: number): void {
  if (bytes < LARGE) return;
  if (came >= MUCH) {
    came = 0;
    Bun.gc(true);
  }
  came += bytes;
}
