import { isEmpty } from '../../core/json.ts'
import type { FieldName, HubRecord, RecordId, RecordKind } from '../../core/model.ts'
import type { Statement } from '../../core/consent.ts'
import { NO_REFS } from '../../core/stream.ts'
import type { Query } from '../../store/database.ts'
import { statementsAbout } from '../../store/consents.ts'
import { fieldChanges } from '../../store/explain.ts'
import { facetsOf, type RootedFacet } from '../../store/facets.ts'
import { listItems, type InboxItem } from '../../store/inbox.ts'
import { linksOf, type Link } from '../../store/links.ts'
import { writesOf, type WriteEntry } from '../../store/outbox.ts'
import { kindOf, loadRecords } from '../../store/records.ts'
import { addressesOf, CHANNEL } from '../consent.ts'
import type { Hub } from '../hub.ts'
import { isMergedKind } from '../merge/facets.ts'
import { withLiveNames } from '../merge/names.ts'
import { resolveRefs } from '../refs.ts'
import { fieldStory, type FieldStory, type Seen } from './field.ts'
import { mailStory, type MailStory } from './mail.ts'
import { matchStory, type MatchStory } from './matching.ts'
import { streamStories, type StreamStory } from './streams.ts'

export type { FieldStory } from './field.ts'
export type { StreamStory } from './streams.ts'

/** Everything the hub knows about why a record is as it is. */
export type Explanation = {
  readonly record: HubRecord
  readonly fields: readonly FieldStory[]
  readonly links: readonly StreamStory[]
  readonly matching: MatchStory
  readonly mail: MailStory | null
  readonly consents: readonly Omit<Statement, 'channel'>[]
  readonly writes: readonly WriteEntry[]
  readonly items: readonly InboxItem[]
}

/** Changes told of each field, and of one that is asked for by itself. */
const SOME = 20
const MANY = 200

/** Why a record is as it is; with `field`, of that field only what concerns it. Null where no record has this id. */
export async function explainRecord(hub: Hub, id: RecordId, field?: FieldName): Promise<Explanation | null> {
  const q = hub.db.sql
  const kind = await kindOf(q, id)
  if (kind === undefined) return null
  const record = (await loadRecords(q, kind, [id])).get(id)
  if (record === undefined) return null
  const [changes, links, writes, items, statements, facets] = await Promise.all([
    fieldChanges(q, id, field ?? null, field === undefined ? SOME : MANY),
    linksOf(q, id),
    writesOf(q, id),
    listItems(q, { state: 'open', recordId: id, limit: 100 }),
    kind === 'contact' ? statementsAbout(q, CHANNEL, addressesOf(record.fields)) : [],
    membersOf(q, kind, id),
  ])
  const names =
    field === undefined ? Object.keys(record.fields).filter((name) => !isEmpty(record.fields[name])) : [field]
  const seen = await seenAt(hub, links)
  return {
    record,
    fields: names.map((name) => fieldStory(record, name, changes, seen, facets)),
    links: await streamStories(hub, record, links),
    matching: await matchStory(hub, record, links),
    mail: await mailStory(hub, record),
    consents: statements.map(({ channel: _, ...statement }) => statement),
    writes,
    items,
  }
}

/** Where something was merged into the record: what each member says, with the names that are left of those it said. */
async function membersOf(q: Query, kind: RecordKind, id: RecordId): Promise<readonly RootedFacet[]> {
  return isMergedKind(kind) ? withLiveNames(q, kind, await facetsOf(q, [id])) : []
}

async function seenAt(hub: Hub, links: readonly Link[]): Promise<readonly Seen[]> {
  const seen: Seen[] = []
  for (const link of links) {
    const target = hub.targets.find((t) => t.id === link.streamId)
    if (target === undefined || link.observed === null || link.state !== 'linked') continue
    const names = target.stream.remoteRefs(link.observed).length > 0
    const refs = names ? await resolveRefs(hub, hub.db.sql, target, [link.observed], []) : NO_REFS
    seen.push({ stream: target.label, lenses: target.stream.lenses(refs), body: link.observed })
  }
  return seen
}
