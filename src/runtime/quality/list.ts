import type { GovernedKind } from '../../core/governance/rules.ts'
import { fieldType, type FieldName, type RecordId } from '../../core/model.ts'
import { unknownField } from '../../mappings/normalise.ts'
import { checksOf, recordsFoundBy, type Check, type Listed, type PlainCheck } from '../../store/quality.ts'
import type { Hub } from '../hub.ts'
import { measureOf } from './measure.ts'

export type { Check, Listed } from '../../store/quality.ts'

/** One way to say which records are meant. */
export type Asked = {
  readonly lacking?: FieldName | undefined
  readonly unknown?: FieldName | undefined
  readonly is?: string | undefined
}

/** The check that was asked for, or what is wrong with the question, with the fix. */
export function checkOf(
  kind: GovernedKind,
  { lacking, unknown, is }: Asked,
):
  | { readonly kind: 'check'; readonly check: Check }
  | { readonly kind: 'wrong'; readonly message: string; readonly fix: string } {
  const given = [lacking, unknown, is].filter((one) => one !== undefined)
  const field = lacking ?? unknown
  if (given.length !== 1)
    return {
      kind: 'wrong',
      message:
        given.length === 0
          ? 'It is not said which records are meant'
          : 'Only one check can be listed at a time',
      fix: `Say one of lacking FIELD, unknown FIELD, or is ${checksOf(kind).join(' | ')}.`,
    }
  if (field !== undefined) {
    if (fieldType(kind, field) !== undefined)
      return { kind: 'check', check: { name: lacking === undefined ? 'unknown' : 'lacking', field } }
    const [message, fix] = unknownField(kind, field)
    return { kind: 'wrong', message, fix }
  }
  const name: PlainCheck | undefined = checksOf(kind).find((one) => one === is)
  return name === undefined
    ? {
        kind: 'wrong',
        message: `A ${kind} cannot be "${is}"`,
        fix: `Choose one of ${checksOf(kind).join(', ')}.`,
      }
    : { kind: 'check', check: { name } }
}

export type ListOptions = { readonly source?: string; readonly owner?: string }

/** A page of records that a check finds; `next` continues it, null at the end. */
export async function listPage(
  hub: Hub,
  kind: GovernedKind,
  check: Check,
  page: ListOptions & { readonly after: RecordId; readonly limit: number },
): Promise<{ readonly records: readonly Listed[]; readonly next: RecordId | null }> {
  const found = await recordsFoundBy(hub.session.q, kind, check, measureOf(hub), {
    ...page,
    limit: page.limit + 1,
  })
  const records = (found ?? []).slice(0, page.limit)
  const next = (found ?? []).length > page.limit ? (records.at(-1)?.id ?? null) : null
  return { records, next }
}

const PAGE = 500

/** All of them, page by page. */
export async function* listAll(
  hub: Hub,
  kind: GovernedKind,
  check: Check,
  options: ListOptions = {},
): AsyncGenerator<readonly Listed[]> {
  for (let after: RecordId | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<typeof listPage>> = await listPage(hub, kind, check, {
      ...options,
      after,
      limit: PAGE,
    })
    if (page.records.length > 0) yield page.records
    after = page.next
  }
}
