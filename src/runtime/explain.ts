import { isEmpty, isObject, textOf, type Instant, type Json } from '../core/json.ts'
import {
  CATALOG,
  provenanceOf,
  type FieldName,
  type HubRecord,
  type RecordId,
  type RecordKind,
} from '../core/model.ts'
import { statementsAbout } from '../store/consents.ts'
import { historyOf } from '../store/history.ts'
import { listItems, type InboxItem } from '../store/inbox.ts'
import { linksOf } from '../store/links.ts'
import { writesOf, type WriteEntry } from '../store/outbox.ts'
import { kindOf, loadRecords, TABLE } from '../store/records.ts'
import { addressesOf, CHANNEL } from './consent.ts'
import type { Hub } from './hub.ts'

/** Why a field holds what it holds. */
export type FieldStory = {
  readonly field: FieldName
  readonly label: string
  readonly value: Json
  readonly source: string
  readonly at: Instant
  readonly rule: string
  /** The run that set the value, where it is still in the history read. */
  readonly run: number | null
  /** Earlier values and edits elsewhere that did not stand, latest first. */
  readonly past: readonly {
    readonly at: Instant
    readonly source: string
    readonly before: Json
    readonly after: Json
    readonly rule: string
    readonly lost: { readonly source: string; readonly value: Json } | null
    readonly run: number | null
  }[]
}

export type Explanation = {
  readonly record: HubRecord
  readonly fields: readonly FieldStory[]
  readonly links: readonly {
    readonly stream: string
    readonly remoteId: string | null
    readonly state: string
    readonly waits: boolean
    readonly problem: string | null
  }[]
  readonly consents: readonly {
    readonly address: string
    readonly audience: string
    readonly state: string
    readonly at: Instant
    readonly source: string
    readonly reason: string | null
    readonly explicit: boolean
  }[]
  readonly writes: readonly WriteEntry[]
  readonly items: readonly InboxItem[]
}

/** Everything the hub knows about why a record is as it is; one field of it with `field`. */
export async function explainRecord(hub: Hub, id: RecordId, field?: FieldName): Promise<Explanation | null> {
  const q = hub.db.sql
  const kind = await kindOf(q, id)
  if (kind === undefined) return null
  const record = (await loadRecords(q, kind, [id])).get(id)
  if (record === undefined) return null
  const [history, links, writes, items, consents] = await Promise.all([
    historyOf(q, id),
    linksOf(q, id),
    writesOf(q, id),
    listItems(q, { state: 'open', recordId: id, limit: 100 }),
    kind === 'contact' ? statementsAbout(q, CHANNEL, addressesOf(record.fields)) : [],
  ])
  const names =
    field === undefined ? Object.keys(record.fields).filter((name) => !isEmpty(record.fields[name])) : [field]
  const fields = names.map((name): FieldStory => {
    const origin = provenanceOf(record, name)
    return {
      field: name,
      label: CATALOG[kind][name]?.label ?? name,
      value: record.fields[name] ?? null,
      source: origin?.source ?? 'nobody',
      at: origin?.at ?? 0,
      rule: origin?.rule ?? 'never set',
      run:
        history.find((e) => e.op !== 'keep' && e.source === origin?.source && name in e.changes)?.runId ??
        null,
      past: history.flatMap((entry) => {
        const change = entry.changes[name]
        if (entry.op === 'create' || !isObject(change)) return []
        const lost = isObject(change['lost']) ? change['lost'] : null
        return [
          {
            at: entry.at,
            source: entry.source,
            before: change['before'] ?? null,
            after: change['after'] ?? null,
            rule: textOf(change['rule']),
            lost: lost === null ? null : { source: textOf(lost['source']), value: lost['value'] ?? null },
            run: entry.runId,
          },
        ]
      }),
    }
  })
  const labels = new Map(hub.targets.map((t) => [t.id, t.label]))
  return {
    record,
    fields,
    links: links.map((l) => ({
      stream: labels.get(l.streamId) ?? `stream ${l.streamId}`,
      remoteId: l.remoteId,
      state: l.state,
      waits: l.wake > l.settled,
      problem: l.problem,
    })),
    consents,
    writes,
    items,
  }
}

export type Candidate = { readonly id: RecordId; readonly title: string }

const TITLES = {
  contact: `concat_ws(' ', given_name, family_name, '<' || emails[1] || '>')`,
  company: `concat_ws(' ', name, '(' || domains[1] || ')')`,
  deal: `coalesce(name, 'deal without a name')`,
  activity: `coalesce(subject, type, 'activity')`,
  invoice: `concat_ws(' ', coalesce(number, 'not numbered yet'), item)`,
} as const
const NAMES = {
  contact: `lower(concat_ws(' ', given_name, family_name))`,
  company: 'lower(name)',
  deal: 'lower(name)',
  activity: 'lower(subject)',
  invoice: 'lower(number)',
} as const

/** The records of a kind that a text may mean: its id, one of its keys, its id at a vendor, or its whole name. */
export async function recordsCalled(hub: Hub, kind: RecordKind, text: string): Promise<readonly Candidate[]> {
  const q = hub.db.sql
  const wanted = text.trim()
  const id = /^\d{1,15}$/.test(wanted) ? Number(wanted) : -1
  const table = q(TABLE[kind])
  const found = await q<(Candidate & { rank: number })[]>`
    select t.id, ${q.unsafe(TITLES[kind])} as title, min(f.rank) as rank from (
      select ${id}::bigint as id, 0 as rank
      union all select record_id, 1 from identities where key = ${wanted.toLowerCase()}
      union all select record_id, 2 from links where remote_id = ${wanted}
      union all select id, 3 from ${table} where ${q.unsafe(NAMES[kind])} = ${wanted.toLowerCase()}
    ) f join ${table} t on t.id = f.id group by t.id order by rank, t.id limit 20`
  const best = found[0]?.rank
  return found.filter((row) => row.rank === best).map((row) => ({ id: row.id, title: row.title }))
}
