import type { Model } from '../../core/match/model.ts'
import { evidenceText } from '../../core/match/evidence.ts'
import { probabilityOf, score, weigh, weightOf } from '../../core/match/score.ts'
import type { Subject } from '../../core/match/traits.ts'
import type { Sql } from '../../store/database.ts'
import { assemble, keyOf } from './assemble.ts'
import { visitPairs, visitUnshared, WHOLE_BLOCK, type Blocks, type ComparedPair } from './blocks.ts'
import { columnsOf, placeOf, type Columns } from './columns.ts'
import { openTable } from './rows.ts'
import { openScratch, type Match, type Scratch } from './scratch.ts'
import { openSets, type Sets } from './sets.ts'
import { openSheet, refuseOverwriting, type Sheet } from './sheet.ts'
import { takeIn, type TakeIn, type TakenIn } from './take-in.ts'
import { train } from './train.ts'

export type DedupeRequest = {
  readonly file: string
  readonly subject: Subject
  /** `attribute=column,…`; null: told from the header. */
  readonly columns: string | null
  /** The column that names a row, for the output. */
  readonly idColumn: string | null
  /** Probability from which two records count as one. */
  readonly threshold: number
  readonly encoding: string | null
  /** Where to write groups, and compared pairs with their evidence; null: nowhere. */
  readonly out: string | null
  readonly pairs: string | null
}

export type DedupeProgress =
  | { readonly kind: 'read'; readonly rows: number }
  | { readonly kind: 'learned'; readonly model: Model }
  | { readonly kind: 'compared'; readonly pairs: number; readonly matches: number }

export type DedupeResult = {
  readonly rows: number
  readonly blank: number
  readonly bad: TakenIn['bad']
  readonly header: readonly string[]
  readonly columns: Columns
  readonly compared: number
  readonly matches: number
  readonly groups: number
  /** Rows that would go if each group became one record. */
  readonly duplicates: number
  readonly largest: number
  readonly model: Model
  readonly largestMemoryBytes: number
}

/** Groups are made from this probability on; below it too many are wrong. See docs/decisions/0021. */
export const USUAL_THRESHOLD = 0.8
/** Pairs below are not worth a line. */
const WORTH_TELLING = 0.5

export type DedupeContext = {
  readonly sql: Sql
  readonly stopping: AbortSignal
  readonly progress: (event: DedupeProgress) => void
}

/**
 * Finds the rows of a CSV file that are one person or company. Everything that grows with the rows lives in temporary
 * tables, which go with the session. Throws DedupeInputError for a wrong file or column.
 */
export async function dedupe(context: DedupeContext, request: DedupeRequest): Promise<DedupeResult> {
  const table = await openTable(request.file, request.encoding)
  try {
    const columns = columnsOf(table.header, request.columns, request.subject)
    const idAt = request.idColumn === null ? null : placeOf(table.header, request.idColumn)
    const sheets = await openSheets(request, idAt !== null)
    try {
      const found = await inScratch(context, request, { table, columns, idAt }, sheets)
      await sheets.pairs.keep()
      await sheets.out.keep()
      return { header: table.header, columns, ...found }
    } finally {
      await sheets.pairs.close()
      await sheets.out.close()
    }
  } finally {
    await table.close()
  }
}

type Sheets = { readonly out: Sheet; readonly pairs: Sheet }

/** Before anything is read: who cannot write at the end need not wait for it. */
async function openSheets(request: DedupeRequest, hasIds: boolean): Promise<Sheets> {
  await refuseOverwriting(request)
  const out = await openSheet(request.out, ['row', 'line', ...(hasIds ? ['id'] : []), 'cluster', 'score'])
  try {
    return { out, pairs: await openSheet(request.pairs, ['row_a', 'row_b', 'score', 'evidence']) }
  } catch (error) {
    await out.close()
    throw error
  }
}

async function inScratch(
  context: DedupeContext,
  request: DedupeRequest,
  input: Pick<TakeIn, 'table' | 'columns' | 'idAt'>,
  sheets: Sheets,
): Promise<Omit<DedupeResult, 'header' | 'columns'>> {
  const scratch = await openScratch(context.sql)
  try {
    const { sample, ...taken } = await takeIn({
      ...input,
      subject: request.subject,
      scratch,
      stopping: context.stopping,
      progress: (rows) => context.progress({ kind: 'read', rows }),
    })
    await scratch.ready()
    const crowded = new Set(await scratch.keysAbove(WHOLE_BLOCK))
    const blocks: Blocks = { scratch, crowded, stopping: context.stopping }
    const model = await train(request.subject, blocks, await scratch.sizes(), { ...taken, sample })
    context.progress({ kind: 'learned', model })
    const found = await find(context, request, blocks, taken.rows, model, sheets, input.idAt !== null)
    return { ...taken, ...found }
  } finally {
    await scratch.close()
  }
}

type Found = Omit<DedupeResult, 'rows' | 'blank' | 'bad' | 'header' | 'columns'>

async function find(
  context: DedupeContext,
  request: DedupeRequest,
  blocks: Blocks,
  rows: number,
  model: Model,
  sheets: Sheets,
  hasIds: boolean,
): Promise<Found> {
  const threshold = weightOf(request.threshold)
  const sets = openSets(rows)
  const telling = request.pairs === null ? Number.POSITIVE_INFINITY : weightOf(WORTH_TELLING)
  const compared = await compareAll(context, blocks, rows, model, { threshold, telling }, sets, sheets.pairs)
  const counts = await writeGroups(context, blocks.scratch, sets, model, threshold, sheets.out, hasIds)
  return { ...compared, ...counts, model, largestMemoryBytes: process.resourceUsage().maxRSS * 1024 }
}

async function compareAll(
  context: DedupeContext,
  blocks: Blocks,
  rows: number,
  model: Model,
  least: { readonly threshold: number; readonly telling: number },
  sets: Sets,
  sheet: Sheet,
): Promise<{ readonly compared: number; readonly matches: number }> {
  let [compared, matches] = [0, 0]
  let found: Match[] = []
  let lines: (readonly (string | number)[])[] = []
  const flush = async (): Promise<void> => {
    await blocks.scratch.saveMatches(found)
    await sheet.write(lines)
    found = []
    lines = []
    context.progress({ kind: 'compared', pairs: compared, matches })
  }
  const met = new Set<number>()
  const visit = ({ a, b, agreement, meetsAgain }: ComparedPair): void => {
    compared++
    const { weight, probability } = weigh(model, agreement, a.prepared, b.prepared)
    if (weight < Math.min(least.telling, least.threshold)) return
    if (meetsAgain) {
      const pair = keyOf(a.id, b.id)
      if (met.has(pair)) return
      met.add(pair)
    }
    if (weight >= least.telling) {
      const [one, two] = a.id < b.id ? [a, b] : [b, a]
      const why = evidenceText(score(model, one.prepared, two.prepared))
      lines.push([one.id, two.id, probability.toFixed(6), why])
    }
    if (weight < least.threshold) return
    matches++
    found.push({ a: a.id, b: b.id, weight })
    sets.join(a.id, b.id)
  }
  await visitPairs(blocks, 1, false, visit, flush)
  await visitUnshared(blocks, rows, visit)
  await flush()
  return { compared, matches }
}

async function writeGroups(
  { stopping }: DedupeContext,
  scratch: Scratch,
  sets: Sets,
  model: Model,
  threshold: number,
  out: Sheet,
  hasIds: boolean,
): Promise<Pick<Found, 'groups' | 'duplicates' | 'largest'>> {
  let [count, duplicates, largest] = [0, 0, 0]
  for await (const groups of assemble(scratch, sets, model, threshold, stopping)) {
    const rows = groups.flatMap((group) => group.map(({ row }) => row))
    const places = new Map((await scratch.places(rows)).map((place) => [place.id, place]))
    await out.write(
      groups.flatMap((group) => {
        count++
        duplicates += group.length - 1
        largest = Math.max(largest, group.length)
        return group.map(({ row, weight }) => {
          const place = places.get(row)
          const label = hasIds ? [place?.label ?? ''] : []
          return [row, place?.line ?? 0, ...label, count, probabilityOf(weight).toFixed(6)]
        })
      }),
    )
  }
  return { groups: count, duplicates, largest }
}
