import { type Accepted, acceptedOf, isJson } from '../model/accepted.ts';
import { readCell } from '../model/cell.ts';
import type { Filled, Outgoing } from '../model/outgoing.ts';
import type { PageModel } from '../model/page-model.ts';
import { FieldView } from './field-view.ts';
import { type Failure, FormShell } from './form-shell.ts';
import { UploadView } from './upload-view.ts';

const FIELD = 'raw';

export interface RawFormViewOptions {
  /** Media types that the transform takes. */
  readonly types: readonly string[];
  readonly sample: PageModel['request'];
  readonly send: (body: Outgoing) => void;
  /** The body may have changed. */
  readonly edited: () => void;
}

/** The form of a model whose transform takes files, text or JSON of its own. */
export class RawFormView {
  /** What a request would be, before there is one. */
  readonly example: Outgoing;
  readonly #accepted: Accepted;
  readonly #upload: UploadView | undefined;
  readonly #field: FieldView | undefined;
  readonly #shell: FormShell;

  constructor({ types, sample, send, edited }: RawFormViewOptions) {
    this.#accepted = acceptedOf(types);
    const { files, typed, images } = this.#accepted;
    this.example = {
      contentType: typed ?? types[0] ?? '',
      content: typed === undefined ? new Blob() : '…',
      fileName: 'FILE',
    };
    if (typed !== undefined)
      this.#field = new FieldView({
        id: FIELD,
        label: isJson(typed) ? 'Body as JSON' : 'Text',
        control: isJson(typed) ? 'json' : 'text',
        value: sample?.contentType === typed ? sample.text : '',
        optional: false,
      });
    const field = this.#field?.node;
    if (files !== undefined)
      this.#upload = new UploadView({
        types: files.split(','),
        accept: files,
        images,
        changed: (chosen) => {
          if (field) field.hidden = chosen;
          this.fail(undefined);
          edited();
        },
      });
    this.#shell = new FormShell({
      content: [...(field ? [field] : []), ...(this.#upload ? [this.#upload.node] : [])],
      reset: sample ? 'Reset to sample' : 'Clear',
      note: typed === undefined ? '' : 'Ctrl+Enter sends',
      submit: () => this.#complete(),
      clear: () => {
        this.#upload?.clear();
        this.#field?.reset();
      },
      send,
      edited,
    });
    this.#upload?.listen(this.node);
  }

  get node(): HTMLFormElement {
    return this.#shell.node;
  }

  get filled(): Filled {
    const outgoing = this.#upload?.outgoing;
    if (outgoing) return { outgoing };
    const { typed } = this.#accepted;
    if (typed === undefined || !this.#field) return { problems: new Map([['upload', 'Choose a file first.']]) };
    const { text } = this.#field;
    const cell = readCell(text, { control: isJson(typed) ? 'json' : 'text', optional: false });
    if ('problem' in cell) return { problems: new Map([[FIELD, cell.problem]]) };
    return { outgoing: { contentType: typed, content: text } };
  }

  busy(is: boolean): void {
    this.#shell.busy(is);
  }

  fail(failure: Failure | undefined): void {
    this.#shell.fail(failure);
  }

  #complete(): Outgoing | undefined {
    const { filled } = this;
    this.#field?.complain(undefined);
    if ('outgoing' in filled) return filled.outgoing;
    this.#upload?.complain(filled.problems.get('upload'));
    const problem = filled.problems.get(FIELD);
    this.#field?.complain(problem);
    if (problem !== undefined) this.#field?.focus();
    return undefined;
  }
}
