import { labelOf } from '../../core/governance/findings.ts'
import type { GovernedKind } from '../../core/governance/rules.ts'
import { changeSince, daysBefore, type Point } from '../../core/governance/trend.ts'
import type { FieldName } from '../../core/model.ts'
import { daysSince, type Figure } from '../../store/quality.ts'
import type { Hub } from '../hub.ts'
import { plural } from '../governance/items.ts'
import { measureQuality, todayOf, type KindFigure } from './measure.ts'

export const SPANS = [7, 30, 90] as const
const SERIES_DAYS = 100

export type QualityLine = {
  readonly kind: GovernedKind
  readonly metric: Figure['metric']
  readonly field: FieldName
  readonly label: string
  readonly count: number
  /** Records that are not archived. */
  readonly of: number
  /** Since 7, 30 and 90 days ago: in records; of `complete` in share. Null where nothing was measured then. */
  readonly change: Readonly<Record<(typeof SPANS)[number], number | null>>
  /** By day, oldest first: in records; of `complete` in share. */
  readonly series: readonly Point[]
  /** Lists the records behind it; null where there is nothing to list. */
  readonly list: string | null
}
export type QualityReport = { readonly day: string; readonly lines: readonly QualityLine[] }

const WORDS: Readonly<Partial<Record<Figure['metric'], string>>> = {
  records: 'Records',
  duplicate: 'May be duplicates',
  stale: 'Stale',
  bouncing: 'With a bouncing address',
  unowned: 'Without owner',
  'no-next-step': 'Open without next step',
  overdue: 'Next step overdue',
  'close-date-past': 'Open with close date past',
  'stage-missing': 'Lacks what the stage needs',
  'unknown-stage': 'In a stage of no pipeline',
}

function labelOfLine({ kind, metric, field }: KindFigure): string {
  switch (metric) {
    case 'complete':
      return labelOf(kind, field)
    case 'lacking':
      return `Lacks ${labelOf(kind, field)}`
    case 'unknown':
      return `${labelOf(kind, field)} on no list`
    default:
      return WORDS[metric] ?? metric
  }
}

/** What follows \`concord quality list KIND\`; of a share, the records that say nothing. */
export function flagOf({ metric, field }: Pick<Figure, 'metric' | 'field'>): string | null {
  if (metric === 'records') return null
  if (metric === 'complete' || metric === 'lacking') return `--lacking ${field}`
  return metric === 'unknown' ? `--unknown ${field}` : `--is ${metric}`
}

/** Measures now, and sets it against what was measured before. Five queries, whatever the number of records. */
export async function qualityReport(hub: Hub, kinds: readonly GovernedKind[]): Promise<QualityReport> {
  const figures = await measureQuality(hub)
  const day = todayOf(hub)
  const kept = await daysSince(hub.session.q, daysBefore(day, SERIES_DAYS))
  const keyOf = (figure: { readonly kind: string; readonly metric: string; readonly field: string }) =>
    `${figure.kind} ${figure.metric} ${figure.field}`
  const byFigure = Map.groupBy(kept, keyOf)
  const records = new Map(
    kept.flatMap((f) => (f.metric === 'records' ? [[`${f.day} ${f.kind}`, f.value] as const] : [])),
  )
  const lines = figures
    .filter(({ kind }) => kinds.includes(kind))
    .map((figure): QualityLine => {
      const { kind, metric, field, value: count } = figure
      const series = (byFigure.get(keyOf(figure)) ?? []).map((point): Point => {
        const whole = records.get(`${point.day} ${kind}`) ?? 0
        const share = whole === 0 ? 1 : point.value / whole
        return { day: point.day, value: metric === 'complete' ? share : point.value }
      })
      const flag = flagOf(figure)
      return {
        kind,
        metric,
        field,
        label: labelOfLine(figure),
        count,
        of: records.get(`${day} ${kind}`) ?? 0,
        change: {
          7: changeSince(series, day, 7),
          30: changeSince(series, day, 30),
          90: changeSince(series, day, 90),
        },
        series,
        list: flag === null ? null : `concord quality list ${plural(kind)} ${flag}`,
      }
    })
  return { day, lines }
}
