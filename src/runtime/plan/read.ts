import {
  listPlans,
  planLines,
  readPlan,
  sampleLines,
  type LineFilter,
  type PlanOp,
  type PlanSide,
  type PlanState,
  type StoredLine,
} from '../../store/plans.ts'
import type { Instant } from '../../core/json.ts'
import type { Hub } from '../hub.ts'
import { summaryFrom, type PlanSummary } from './summary.ts'

export { PLAN_OPS, type PlanOp, type PlanSide, type StoredLine } from '../../store/plans.ts'

/** A plan as people look at it. */
export type Plan = {
  readonly id: number
  readonly connections: readonly string[]
  readonly state: PlanState
  /** What it covers: streams, and `connection/mail`. */
  readonly covers: readonly string[]
  readonly summary: PlanSummary
  readonly by: string
  readonly createdAt: Instant
  readonly decidedBy: string | null
  readonly decidedAt: Instant | null
}

const toPlan = ({ shapes, summary, ...row }: NonNullable<Awaited<ReturnType<typeof readPlan>>>): Plan => ({
  ...row,
  covers: Object.keys(shapes),
  summary: summaryFrom(summary),
})

/** The newest first; `before` goes on below an id. */
export async function plansOf(
  hub: Hub,
  limit: number,
  before: number | null = null,
): Promise<readonly Plan[]> {
  return (await listPlans(hub.db.sql, limit, before)).map(toPlan)
}

export async function planOf(hub: Hub, id: number): Promise<Plan | undefined> {
  const row = await readPlan(hub.db.sql, id)
  return row === undefined ? undefined : toPlan(row)
}

export type LineQuery = {
  /** `connection/stream`. */
  readonly stream?: string | undefined
  readonly side?: PlanSide | undefined
  readonly op?: PlanOp | undefined
}

/** A page of a plan's lines after number `after`; an unknown stream has none. */
export async function linesOf(
  hub: Hub,
  id: number,
  { stream, side, op }: LineQuery,
  after: number,
  limit: number,
): Promise<readonly StoredLine[]> {
  const streamId = stream === undefined ? undefined : hub.targets.find((t) => t.label === stream)?.id
  if (stream !== undefined && streamId === undefined) return []
  const filter: LineFilter = { streamId, side, op }
  return planLines(hub.db.sql, id, filter, after, limit)
}

const PAGE = 500

/** All lines, page by page. */
export async function* allLines(hub: Hub, id: number, query: LineQuery): AsyncGenerator<StoredLine> {
  for (let after = 0; ; ) {
    const page = await linesOf(hub, id, query, after, PAGE)
    const last = page.at(-1)
    if (last === undefined) return
    yield* page
    after = last.n
  }
}

/** The first lines of every stream, side and operation. */
export async function samplesOf(hub: Hub, id: number, each: number): Promise<readonly StoredLine[]> {
  return sampleLines(hub.db.sql, id, each)
}
