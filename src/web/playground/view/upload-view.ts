import { typeOfFile } from '../model/accepted.ts';
import type { Outgoing } from '../model/outgoing.ts';
import { takeDrops } from './drop-zone.ts';
import { element } from './element.ts';

/** Preview pixels at most, either way. */
const MOST_SIDE = 640;
/** Images up to this size are shown in whole pixels, enlarged. */
const SMALL_SIDE = 64;

export interface UploadViewOptions {
  readonly types: readonly string[];
  /** For the file control's `accept`. */
  readonly accept: string;
  readonly images: boolean;
  /** A file was chosen, or taken away. */
  readonly changed: (chosen: boolean) => void;
}

/** Chooses the one file that is sent, by its button or by dropping it, and shows it if it is an image. */
export class UploadView {
  readonly node: HTMLElement;
  readonly #options: UploadViewOptions;
  readonly #input: HTMLInputElement;
  /** Where files are dropped: asks for one, then shows it. */
  readonly #place = element('div', { class: 'place' });
  readonly #choose: HTMLElement;
  readonly #chosen = element('p', { class: 'chosen', role: 'status' });
  readonly #problem = element('p', { class: 'problem', id: 'upload-problem' });
  readonly #remove = element('button', { type: 'button', class: 'quiet' }, 'Remove the file');
  #file: File | undefined;

  constructor(options: UploadViewOptions) {
    this.#options = options;
    const { accept, images, types } = options;
    this.#input = element('input', { type: 'file', id: 'upload', accept, 'aria-describedby': 'upload-problem' });
    this.#remove.hidden = true;
    const kinds = types.map((type) => type.replace(/^.*\//, '').toUpperCase()).join(', ');
    this.#choose = element(
      'div',
      { class: 'choose' },
      element('label', { for: 'upload' }, `Drop ${images ? 'an image' : 'a file'} here, or choose one (${kinds})`),
      this.#input,
    );
    this.#place.append(this.#choose);
    this.node = element(
      'div',
      { class: images ? 'upload images' : 'upload' },
      this.#place,
      element('div', { class: 'beside' }, this.#problem, this.#chosen, this.#remove),
    );
    this.#input.addEventListener('change', () => this.#take(this.#input.files?.[0]));
    this.#remove.addEventListener('click', () => {
      this.clear();
      this.#input.focus();
    });
  }

  listen(zone: HTMLElement): void {
    takeDrops(zone, (files) => this.#take(files?.[0]));
  }

  /** What to send; undefined before a file is chosen. */
  get outgoing(): Outgoing | undefined {
    const file = this.#file;
    return file && { contentType: typeOfFile(this.#options.types, file.type), content: file, fileName: file.name };
  }

  clear(): void {
    this.#input.value = '';
    this.#set(undefined);
  }

  complain(problem: string | undefined): void {
    this.#problem.textContent = problem ?? '';
    if (problem === undefined) {
      this.#input.removeAttribute('aria-invalid');
      return;
    }
    this.#input.setAttribute('aria-invalid', 'true');
    this.#input.focus();
  }

  #take(file: File | undefined): void {
    if (!file) return;
    this.#set(file);
    this.#remove.focus();
  }

  #set(file: File | undefined): void {
    this.#file = file;
    this.complain(undefined);
    this.#chosen.textContent = file ? `${file.name}, ${sizeOf(file.size)}` : '';
    this.#remove.hidden = file === undefined;
    this.#choose.hidden = file !== undefined;
    this.#place.replaceChildren(this.#choose);
    if (file?.type.startsWith('image/')) void this.#draw(file);
    this.#options.changed(file !== undefined);
  }

  /** On a canvas: an image element would need another address than the server's own. */
  async #draw(file: File): Promise<void> {
    // What the browser cannot read may still be sent: the server says what is wrong with it.
    const image = await createImageBitmap(file).catch(() => undefined);
    if (!image || this.#file !== file) return;
    const scale = Math.min(1, MOST_SIDE / Math.max(image.width, image.height));
    const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
    const small = Math.max(image.width, image.height) <= SMALL_SIDE;
    const canvas = element('canvas', {
      width,
      height,
      class: small ? 'small' : undefined,
      role: 'img',
      'aria-label': `${file.name}, ${image.width} × ${image.height} pixels`,
    });
    canvas.getContext('2d')?.drawImage(image, 0, 0, width ?? 1, height ?? 1);
    this.#chosen.textContent = `${file.name}, ${image.width} × ${image.height}, ${sizeOf(file.size)}`;
    this.#place.replaceChildren(this.#choose, canvas);
    image.close();
  }
}

function sizeOf(bytes: number): string {
  return bytes < 1000
    ? `${bytes} bytes`
    : bytes < 1e6
      ? `${(bytes / 1e3).toFixed(1)} kB`
      : `${(bytes / 1e6).toFixed(1)} MB`;
}
