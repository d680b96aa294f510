/** What a project's folder is known by. */
export const CONFIG_FILE = 'inlay.yaml';
