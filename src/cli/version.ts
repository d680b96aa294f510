import manifest from '../../package.json' with { type: 'json' };

export const INLAY_VERSION = manifest.version;
