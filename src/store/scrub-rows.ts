import type { RecordId } from '../core/model.ts'
import { ERASED_ADDRESS, ERASED_TEXT, type Patterns } from '../core/privacy.ts'
import { numbers } from './columns.ts'
import type { Query } from './database.ts'

/* Takes an erased person's names, addresses and numbers out of texts about others. */

const [TEXT, JSONB, JSON_TEXT] = ['', '::jsonb', '::json'] as const

/** A column with a person's traces replaced; of JSON, inside its texts. */
function clean(q: Query, column: string, patterns: Patterns, cast: string = TEXT) {
  const { emails, strong, names } = cast === TEXT ? patterns : patterns.inJson
  return q`
  ${q.unsafe(column)} = regexp_replace(regexp_replace(regexp_replace(${q.unsafe(column)}::text,
    ${emails}::text, ${ERASED_ADDRESS}::text, 'gi'), ${strong}::text, ${ERASED_TEXT}::text, 'gi'), ${names}::text, ${ERASED_TEXT}::text, 'g')${q.unsafe(cast)}`
}

/** The columns of one table, all cleaned. */
const cleanAll = (q: Query, patterns: Patterns, columns: readonly (readonly [string, string])[]) =>
  columns.map(([column, cast]) => clean(q, column, patterns, cast)).reduce((all, next) => q`${all}, ${next}`)

export async function scrubMessages(q: Query, ids: readonly RecordId[], patterns: Patterns): Promise<void> {
  if (ids.length === 0) return
  const columns = [
    ['subject', TEXT],
    ['text', TEXT],
    ['quoted', TEXT],
    ['signature', TEXT],
    ['html', TEXT],
    ['message_id', TEXT],
    ['attachments', JSON_TEXT],
    ['envelope', JSON_TEXT],
  ] as const
  await q`
    update messages set ${cleanAll(q, patterns, columns)} where id = any(${numbers(ids)}::bigint[])`
  await q`
    update message_participants set ${clean(q, 'name', patterns)}
    where message_id = any(${numbers(ids)}::bigint[]) and name is not null`
}

/** Takes the person out of all that is kept about the records in scope. Returns how many rows it concerned. */
export async function scrubScope(q: Query, patterns: Patterns): Promise<void> {
  const scope = q`(select id from erase_scope)`
  await q`update history set ${clean(q, 'changes', patterns, JSON_TEXT)} where record_id in ${scope}`
  await q`
    update links set ${cleanAll(q, patterns, [
      ['observed', JSON_TEXT],
      ['base', JSON_TEXT],
      ['problem', TEXT],
    ])} where record_id in ${scope}`
  await q`
    update outbox set ${cleanAll(q, patterns, [
      ['body', JSONB],
      ['sent', JSONB],
      ['outcome', JSONB],
    ])} where record_id in ${scope} and not (op = 'create' and state in ('sending', 'uncertain'))`
  await q`
    update inbox set ${cleanAll(q, patterns, [
      ['title', TEXT],
      ['fix', TEXT],
      ['detail', JSONB],
      ['resolution', TEXT],
    ])} where record_id in ${scope}`
  await q`
    update held_changes set ${cleanAll(q, patterns, [
      ['title', TEXT],
      ['changes', JSON_TEXT],
    ])} where record_id in ${scope}`
  await q`
    update plan_lines set ${cleanAll(q, patterns, [
      ['title', TEXT],
      ['changes', JSON_TEXT],
      ['why', TEXT],
    ])} where record_id in ${scope}`
  await q`update findings set ${clean(q, 'said', patterns)} where record_id in ${scope}`
}

/** Takes addresses, numbers and whole names out of what admins read, whoever it is about. */
export async function scrubNotes(q: Query, patterns: Patterns): Promise<void> {
  const names = 'nothing is called 3b1f0c7e this'
  const shared: Patterns = { ...patterns, names, inJson: { ...patterns.inJson, names } }
  const any = `(?:${patterns.emails})|(?:${patterns.strong})`
  const anyInJson = `(?:${patterns.inJson.emails})|(?:${patterns.inJson.strong})`
  await q`
    update inbox set ${cleanAll(q, shared, [
      ['title', TEXT],
      ['fix', TEXT],
      ['detail', JSONB],
      ['resolution', TEXT],
    ])} where title ~* ${any} or fix ~* ${any} or detail::text ~* ${anyInJson} or resolution ~* ${any}`
  // What a plan lists of objects that no record has yet is known by its words alone.
  await q`
    delete from plan_lines where record_id is null and (title ~* ${any} or changes::text ~* ${anyInJson} or why ~* ${any})`
  await q`
    update plan_lines set ${cleanAll(q, shared, [
      ['title', TEXT],
      ['changes', JSON_TEXT],
      ['why', TEXT],
    ])} where title ~* ${any} or changes::text ~* ${anyInJson} or why ~* ${any}`
  await q`
    update held_changes set ${cleanAll(q, shared, [
      ['title', TEXT],
      ['changes', JSON_TEXT],
    ])} where title ~* ${any} or changes::text ~* ${anyInJson}`
  await q`delete from quarantine where raw ~* ${any} or problem ~* ${any}`
  await q`update alarms set ${cleanAll(q, shared, [
    ['title', TEXT],
    ['fix', TEXT],
  ])} where title ~* ${any} or fix ~* ${any}`
  await q`
    update alert_deliveries set ${clean(q, 'payload', shared, JSONB)} where payload::text ~* ${anyInJson}`
  await q`update streams set ${clean(q, 'problem', patterns)} where problem is not null`
  await q`update connections set ${clean(q, 'problem', shared)} where problem ~* ${any}`
  await q`update runs set ${clean(q, 'problem', shared)} where problem ~* ${any}`
}
