const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** A length of time in its largest unit of which there are two, such as `36 hours`. */
export function lasting(durationMs: number): string {
  const [unit, ms] = units.find(([, unitMs]) => durationMs >= 2 * unitMs) ?? (['second', 1_000] as const);
  const count = Math.floor(durationMs / ms);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** An instant and how far it is away, such as `2026-11-24T08:00:00.000Z, 3 days ago`. */
export function instant(at: Date, now: Date): string {
  const sinceMs = now.getTime() - at.getTime();
  return `${at.toISOString()}, ${sinceMs < 0 ? `in ${lasting(-sinceMs)}` : `${lasting(sinceMs)} ago`}`;
}

/** Lines of `name  value`, the values below each other. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}
