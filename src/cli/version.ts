import { version } from '../../package.json' with { type: 'json' };

/** inlay's own version. Not by way of a room: every command would load it whole. */
export const INLAY_VERSION: string = version;
