import { dlopen } from 'bun:ffi';

/**
 * Turns ONNX Runtime's telemetry off (from 1.29 on, on Linux it writes a device id and reports to its maker, unless told
 * not to). To be called before the library is loaded. The library asks libc's getenv, which does not see what is
 * written to `process.env` in Bun, so this goes through libc's setenv.
 */
export function disableTelemetry(): void {
  if (process.platform !== 'linux') return;
  const { symbols, close } = dlopen('libc.so.6', { setenv: { args: ['cstring', 'cstring', 'i32'], returns: 'i32' } });
  symbols.setenv(Buffer.from('ORT_DISABLE_TELEMETRY\0'), Buffer.from('1\0'), 1);
  close();
}
