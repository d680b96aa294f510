import { LOG_LEVELS, type LogFormat, type LogLevel } from './settings.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
export type Log = Readonly<Record<Lowercase<LogLevel>, (message: string, fields?: LogFields) => void>>;

/**
 * One line an event: `2026-06-01T12:00:00.000Z INFO ready port=8000`, or the same as JSON.
 * @param write takes a whole line, its end included
 */
export function createLog(level: LogLevel, format: LogFormat, write: (line: string) => void): Log {
  const at = (own: LogLevel) => {
    if (LOG_LEVELS.indexOf(own) < LOG_LEVELS.indexOf(level)) return () => {};
    return (message: string, fields: LogFields = {}) => {
      const time = new Date().toISOString();
      if (format === 'JSON') return write(`${JSON.stringify({ time, level: own, message, ...fields })}\n`);
      const rest = Object.entries(fields).map(([key, value]) =>
        value === undefined ? '' : ` ${key}=${quoted(String(value))}`,
      );
      write(`${time} ${own} ${message.replaceAll('\n', '\\n')}${rest.join('')}\n`);
    };
  };
  return { debug: at('DEBUG'), info: at('INFO'), warning: at('WARNING'), error: at('ERROR') };
}

function quoted(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
