import { expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapFile } from '../../src/contract/index.ts';

// An image's files belong to root, and its server is 65532: it may read them, and nothing else.
test('a file of another user, that may only be read, is mapped', () => {
  const dir = mkdtempSync(join(tmpdir(), 'inlay-map-'));
  const path = join(dir, 'm.onnx');
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
  writeFileSync(path, bytes);
  chmodSync(path, 0o444);
  chmodSync(dir, 0o755);
  const { geteuid, seteuid } = process;
  const root = geteuid?.() === 0;
  if (root) seteuid?.(65532);
  try {
    expect(mapFile(path)).toEqual(bytes);
  } finally {
    if (root) seteuid?.(0);
    rmSync(dir, { recursive: true });
  }
});
