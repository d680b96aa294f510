/** `90 s`, `2 min`, `1.5 h`. */
export function formatDuration(ms: number): string {
  if (ms < 120_000) return `${+(ms / 1000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${+(ms / 60_000).toFixed(1)} min` : `${+(ms / 3_600_000).toFixed(1)} h`;
}
