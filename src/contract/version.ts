import { version } from '../../package.json' with { type: 'json' };

/** inlay's own version. */
export const INLAY_VERSION: string = version;
