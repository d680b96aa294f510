// Values as people read them.
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12s`, `5m`, `3h 20m`, `4d 3h`, `63d`; of less than nothing (clocks differ) `0s`. @param ms */
export function duration(ms: number): string {
  const left = Math.max(0, ms);
  if (left < MINUTE) return `${Math.floor(left / SECOND)}s`;
  if (left < HOUR) return `${Math.floor(left / MINUTE)}m`;
  if (left < DAY) return two(Math.floor(left / HOUR), 'h', Math.floor((left % HOUR) / MINUTE), 'm');
  if (left < 10 * DAY) return two(Math.floor(left / DAY), 'd', Math.floor((left % DAY) / HOUR), 'h');
  return `${Math.floor(left / DAY)}d`;
}

function two(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return `${first}${firstUnit}${second === 0 ? '' : ` ${second}${secondUnit}`}`;
}

/** Decimal, as registries count. @param size bytes */
export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [size, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `10 000`, with thin blanks that do not break. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `1 server`, `2 servers` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A fraction. */
export function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(1))} %`;
}

/** `sha256:0123456789ab`: as much as people compare. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

/** `2026-06-01 14:00`, in the reader's time zone. @param ms since 1970 @param seconds `2026-06-01 14:00:05` */
export function moment(ms: number, seconds = false): string {
  const at = new Date(ms);
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}${seconds ? `:${pad(at.getSeconds())}` : ''}`;
}

/** `FP32 [-1, 4]` */
export function tensorText(spec: {
  readonly name: string;
  readonly datatype?: string;
  readonly shape: readonly number[];
}) {
  return `${spec.name}: ${spec.datatype ?? ''} [${spec.shape.join(', ')}]`;
}

const DRIFT: Readonly<Record<string, string>> = {
  'tag-moved': 'tag moved',
  'differs-from-applied': 'edited by hand',
  'contract-missing': 'no contract',
  mixed: 'mixed images',
  'not-inlay': 'not inlay',
};

export function driftName(kind: string): string {
  return DRIFT[kind] ?? kind;
}
