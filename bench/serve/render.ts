import type { Cell, FigureResult, Judged, Table } from './result.ts';

/** A figure's table, targets and notes as text of fixed width. */
export function renderFigure(title: string, result: FigureResult): string {
  return [
    `== ${title}`,
    ...renderTable(result.table),
    ...result.targets.map((target) => `  ${renderTarget(target)}`),
    ...result.notes.map((note) => `  note: ${note}`),
    '',
  ].join('\n');
}

function renderTable(table: Table): string[] {
  const head = ['', ...table.columns.map((column) => column.name)];
  const body = table.rows.map((row) => [
    row.name,
    ...table.columns.map((column) => renderCell(row.values[column.name], column.decimals)),
  ]);
  const widths = head.map((_, index) => Math.max(...[head, ...body].map((line) => (line[index] as string).length)));
  return [head, ...body].map((line) =>
    `  ${line.map((cell, index) => (index === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[index] as number))).join('  ')}`.trimEnd(),
  );
}

function renderCell(cell: Cell | undefined, decimals: number): string {
  if (cell === undefined) return '-';
  return typeof cell === 'string' ? cell : cell.toLocaleString('en-US', fraction(decimals));
}

function renderTarget(target: Judged): string {
  const word = target.reached === undefined ? 'NOT MEASURED' : target.reached ? 'reached' : 'MISSED';
  const show = (value: number) => `${value.toLocaleString('en-US', fraction(2))} ${target.unit}`;
  const measured = target.measured === undefined ? '-' : show(target.measured);
  return `${word}: ${target.what}: ${measured} (${target.sense} ${show(target.limit)})`;
}

function fraction(decimals: number): Intl.NumberFormatOptions {
  return { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
}
