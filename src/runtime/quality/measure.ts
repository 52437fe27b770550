import { GOVERNED_KINDS, type GovernedKind } from '../../core/governance/rules.ts'
import { daysBefore, monthsBefore } from '../../core/governance/trend.ts'
import type { FieldName } from '../../core/model.ts'
import {
  checksOf,
  fieldsOf,
  figuresOf,
  forgetDays,
  keepDay,
  stagePair,
  type Breakdown,
  type Check,
  type Figure,
  type Measure,
} from '../../store/quality.ts'
import { iso, type Hub } from '../hub.ts'
import { withRaces } from '../races.ts'

const KEPT_DAYS = 800

export const todayOf = (hub: Hub): string => iso(hub.clock.now()).slice(0, 10)

/** What figures are measured against now. */
export function measureOf(hub: Hub): Measure {
  const { governance, pipelines } = hub.configuration
  const pairs = pipelines.flatMap((pipeline) =>
    pipeline.stages.flatMap((stage) => {
      const pair = { key: stagePair(pipeline.name, stage.name), open: stage.outcome === 'open' }
      // Deals that name no pipeline are in the only one.
      return pipelines.length === 1 ? [pair, { ...pair, key: stagePair('', stage.name) }] : [pair]
    }),
  )
  return {
    staleBefore: monthsBefore(hub.clock.now(), governance.staleAfterMonths),
    today: todayOf(hub),
    openStages: pairs.filter(({ open }) => open).map(({ key }) => key),
    knownStages: pairs.map(({ key }) => key),
  }
}

/** The fields and checks that are measured for a kind: the standard ones, and those that rules name. */
export function askedOf(
  hub: Hub,
  kind: GovernedKind,
): { readonly fields: readonly FieldName[]; readonly checks: readonly Check[] } {
  const { required, picklists } = hub.configuration.governance
  const lists = picklists.filter((list) => list.record === kind)
  return {
    fields: fieldsOf(kind, [...required[kind], ...lists.map(({ field }) => field)]),
    checks: [
      ...checksOf(kind).map((name) => ({ name })),
      ...required[kind].map((field) => ({ name: 'lacking' as const, field })),
      ...lists
        .filter(({ unknown }) => unknown === 'inbox')
        .map(({ field }) => ({ name: 'unknown' as const, field })),
    ],
  }
}

export type KindFigure = Figure & { readonly kind: GovernedKind }

/** Measures every kind, one query each, and keeps the figures as those of today. */
export async function measureQuality(hub: Hub): Promise<readonly KindFigure[]> {
  const measure = measureOf(hub)
  const all: KindFigure[] = []
  for (const kind of GOVERNED_KINDS) {
    const [whole] = await figuresOf(hub.session.q, kind, measure, askedOf(hub, kind))
    all.push(...(whole?.figures ?? []).map((figure) => ({ ...figure, kind })))
  }
  await withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      await keepDay(tx, measure.today, all)
      await forgetDays(tx, daysBefore(measure.today, KEPT_DAYS))
    }),
  )
  return all
}

export type GroupFigures = {
  readonly kind: GovernedKind
  readonly group: string | null
  readonly figures: readonly Figure[]
}

/** The same for each owner or source; not kept. */
export async function measureBy(
  hub: Hub,
  kinds: readonly GovernedKind[],
  by: Breakdown,
): Promise<readonly GroupFigures[]> {
  const measure = measureOf(hub)
  const all: GroupFigures[] = []
  for (const kind of kinds) {
    const groups = await figuresOf(hub.session.q, kind, measure, askedOf(hub, kind), by)
    all.push(...groups.map((group) => ({ ...group, kind })))
  }
  return all
}
