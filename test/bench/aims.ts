/** What each figure should reach; others are reported as they are. */
const AIMS: Readonly<Record<string, { readonly most?: number; readonly least?: number }>> = {
  import_ratio: { least: 0.3 },
  import_growth: { most: 1.3 },
  idle_rows_written: { most: 0 },
  latency_p50_ms: { most: 50 },
  latency_p99_ms: { most: 250 },
  import_rss_mb: { most: 350 },
  import_rss_growth: { most: 1.3 },
  rate_use: { least: 0.95 },
  mail_growth: { most: 1.3 },
  matching_growth: { most: 1.5 },
  matching_lookup_p99_ms: { most: 10 },
}

export type Figures = Readonly<Record<string, number>>

/** One line a figure: its name, what it came to, and whether that is what was aimed at. */
export function lineOf(name: string, value: number): string {
  const aim = AIMS[name]
  const figure = `${name.padEnd(20)} ${String(value).padStart(10)}`
  if (aim === undefined) return figure
  const isMet = value <= (aim.most ?? Infinity) && value >= (aim.least ?? -Infinity)
  const wanted = aim.most === undefined ? `at least ${aim.least}` : `at most ${aim.most}`
  return `${figure}   ${isMet ? 'ok   ' : 'short'} (${wanted})`
}

export const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits))

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
