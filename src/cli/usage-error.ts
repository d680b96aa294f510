import { InlayError } from '../error/index.ts';

/**
 * What commander says of a wrong command line, as all errors are said.
 * @param error for example `error: unknown command 'chek'`, on the next line `(Did you mean check?)`
 */
export function usageError({ message }: { readonly message: string }): InlayError {
  const [first = '', ...rest] = message.split('\n');
  const suggestion = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  return new InlayError('USAGE', first.replace(/^error: /, ''), {
    hint: suggestion || 'Add --help to the command: it says what there is.',
  });
}
