/** A file of an image that is kept, or a symbolic link; folders are known by what is in them. */
export type TreeNode<T> =
  | { readonly type: 'file'; readonly value: T }
  | { readonly type: 'symlink'; readonly target: string };

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Those files of an image that somebody is interested in, as a container would see them: layers one on the other (layer.md of the OCI
 * image specification), symbolic links followed. Nothing is written anywhere.
 */
export class FileTree<T> {
  readonly #nodes = new Map<string, TreeNode<T>>();
  /** Whatever has had something below it: images have a hundred thousand files, and few of them take the place of a folder. */
  readonly #folders = new Set<string>();

  /** What a layer takes away from those below it: `name` is that of a whiteout. False for any other name. */
  whiteOut(name: string): boolean {
    const path = this.canonical(name);
    const slash = path.lastIndexOf('/');
    const [folder, file] = [path.slice(0, slash + 1), path.slice(slash + 1)];
    if (!file.startsWith(WHITEOUT)) return false;
    if (file === OPAQUE) this.#remove((known) => known.startsWith(folder));
    else this.remove(folder + file.slice(WHITEOUT.length));
    return true;
  }

  /** Takes away a file, or a folder with all that is in it. */
  remove(path: string): void {
    this.#nodes.delete(path);
    if (this.#folders.has(path)) this.#remove((known) => known.startsWith(`${path}/`));
  }

  /** @param path canonical */
  put(path: string, node: TreeNode<T>): void {
    this.#nodes.set(path, node);
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (this.#folders.has(folder)) break;
      this.#folders.add(folder);
    }
  }

  /** What lies at a path, links followed. */
  get(path: string): T | undefined {
    const node = this.#nodes.get(this.#resolve(path));
    return node?.type === 'file' ? node.value : undefined;
  }

  /** @param path canonical */
  isLink(path: string): boolean {
    return this.#nodes.get(path)?.type === 'symlink';
  }

  /** The paths of files and links that match. */
  matching(pattern: RegExp): string[] {
    return [...this.#nodes.keys()].filter((path) => pattern.test(path));
  }

  /** A name in a layer as a path without links in its folders; the last part stays as it is. */
  canonical(name: string): string {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    const last = parts.pop();
    if (last === undefined) return '';
    const folder = this.#resolve(parts.join('/'));
    return folder === '' ? last : `${folder}/${last}`;
  }

  #remove(gone: (path: string) => boolean): void {
    for (const path of [...this.#nodes.keys()]) if (gone(path)) this.#nodes.delete(path);
  }

  #resolve(path: string): string {
    const done: string[] = [];
    const left = path.split('/');
    for (let links = 0; left.length > 0; ) {
      const part = left.shift() as string;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        done.pop();
        continue;
      }
      done.push(part);
      const node = this.#nodes.get(done.join('/'));
      if (node?.type !== 'symlink') continue;
      if (++links > 40) return '';
      done.pop();
      if (node.target.startsWith('/')) done.length = 0;
      left.unshift(...node.target.split('/'));
    }
    return done.join('/');
  }
}
