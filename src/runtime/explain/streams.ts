import type { Instant } from '../../core/json.ts'
import type { HubRecord } from '../../core/model.ts'
import { isErased } from '../../core/privacy.ts'
import { readConnection } from '../../store/connections.ts'
import { heldAbout, linkTroubles } from '../../store/explain.ts'
import type { Link } from '../../store/links.ts'
import { mayWrite } from '../approval.ts'
import { iso, type Hub, type Target } from '../hub.ts'
import { planPush } from '../push-plan.ts'
import { resolveRefs } from '../refs.ts'

/** How a record stands at one stream, and why nothing is written there, where nothing is. */
export type StreamStory = {
  readonly stream: string
  readonly remoteId: string | null
  /** `none`: it has no link there. */
  readonly state: Link['state'] | 'none'
  /** A write waits to be sent. */
  readonly waits: boolean
  /** What keeps it from being written, in words; null where all is sent. */
  readonly why: string | null
  /** What would change that. */
  readonly fix: string | null
  readonly problem: string | null
}

type Why = { readonly why: string | null; readonly fix: string | null }
const because = (why: string, fix: string | null = null): Why => ({ why, fix })
const NOTHING: Why = { why: null, fix: null }

/** Every stream of the record's kind that it has a link in or could have one. */
export async function streamStories(
  hub: Hub,
  record: HubRecord,
  links: readonly Link[],
): Promise<readonly StreamStory[]> {
  const q = hub.db.sql
  const [troubles, held] = [await linkTroubles(q, record.id), await heldAbout(q, record.id)]
  const byLink = new Map(troubles.map((trouble) => [trouble.linkId, trouble]))
  const stories: StreamStory[] = []
  for (const target of hub.targets.filter(({ stream }) => stream.record === record.kind)) {
    const mine = links.filter((link) => link.streamId === target.id)
    if (mine.length === 0 && target.push === null) continue
    const gate = await gateOf(hub, target)
    for (const link of mine.length === 0 ? [null] : mine) {
      const trouble = link === null ? undefined : byLink.get(link.id)
      const about = held.filter((one) => one.streamId === target.id && one.side === 'out')
      const own =
        link === null || isErased(record)
          ? unlinked(target, record)
          : await linkWhy(hub, target, record, link, trouble, about)
      const waits = link !== null && link.wake > link.settled
      const story = gate.why !== null && (waits || link === null) ? gate : own
      stories.push({
        stream: target.label,
        remoteId: link?.remoteId ?? null,
        state: link?.state ?? 'none',
        waits,
        problem: link?.problem ?? null,
        ...story,
      })
    }
  }
  const known = new Set(hub.targets.map((target) => target.id))
  for (const link of links.filter((one) => !known.has(one.streamId)))
    stories.push({
      stream: `stream ${link.streamId}`,
      remoteId: link.remoteId,
      state: link.state,
      waits: false,
      problem: link.problem,
      ...because('its stream is not configured any more', '`concord config apply` with the stream in it'),
    })
  return stories
}

/** What keeps the whole stream from writing. */
async function gateOf(hub: Hub, target: Target): Promise<Why> {
  if (target.push === null) return NOTHING
  const { connection } = target.stream
  const row = await readConnection(hub.db.sql, connection)
  if (row === undefined)
    return because(`${connection} was not added`, `\`concord connections add ${connection}\``)
  if (row.state === 'paused') return because(`${connection} is paused`)
  if (row.state === 'unauthorised')
    return because(
      `${connection} refuses its credentials: ${row.problem ?? ''}`,
      `\`concord connections add ${connection}\``,
    )
  if (row.notBefore !== null && row.notBefore > hub.clock.now())
    return because(
      `${connection} asked to be left alone until ${iso(row.notBefore)}`,
      'nothing: it goes on by itself',
    )
  if (!(await mayWrite(hub, target)))
    return because(
      'nobody has approved what this stream would write',
      `\`concord plan ${connection}\`, then approve it`,
    )
  return NOTHING
}

function unlinked({ stream, label }: Target, record: HubRecord): Why {
  if (isErased(record))
    return because(
      'it was erased, and is kept out',
      '`concord privacy lift ADDRESS`, once they have come back',
    )
  if (record.archived) return because('it is archived, so it is not made there', 'restore it')
  if (stream.createAtRemote === 'never')
    return because(
      `${label} makes no objects for records (create: remote: never)`,
      `make it there and it is linked by ${stream.match.join(' or ') || 'hand'}; or set create: remote: always`,
    )
  const unmet = unmetConditions({ stream }, record)
  if (unmet !== null) return unmet
  if (stream.createAtRemote === 'demand')
    return because(
      'it is made there once something needs it, such as an invoice',
      'nothing: it follows by itself',
    )
  return because(
    'the stream began to make objects after this record was last changed',
    'any edit of the record, or a new plan of the connection',
  )
}

function unmetConditions({ stream }: Pick<Target, 'stream'>, record: HubRecord): Why | null {
  if (stream.filterOut(record.fields)) return null
  const unmet = (stream.conditions ?? []).filter((condition) => !condition.holds(record.fields))
  const texts = unmet.map((condition) => `\`${condition.text}\``)
  const told = texts.length === 0 ? 'its condition (create: where)' : `the condition ${texts.join(' and ')}`
  return because(
    `${told} is not met`,
    'edit the record so that it is, or change `create: where` of the stream',
  )
}

type Trouble = {
  readonly notBefore: Instant | null
  readonly op: string | null
  readonly outcome: string | null
  readonly message: string | null
}

async function linkWhy(
  hub: Hub,
  target: Target,
  record: HubRecord,
  link: Link,
  trouble: Trouble | undefined,
  held: readonly { readonly what: string; readonly verdict: string | null; readonly by: string | null }[],
): Promise<Why> {
  const { stream, label, push } = target
  if (link.state === 'gone')
    return because(
      `it was deleted at ${label}; it is not made there again by itself`,
      'make it there, and it is linked again',
    )
  if (push === null) return link.state === 'linked' ? because(`${label} is only read`) : NOTHING
  if (link.state === 'creating')
    return because(
      `a create is under way at ${label}, or nobody knows yet what came of it`,
      'nothing: it is looked up',
    )
  const [refused] = held.filter((one) => one.verdict === 'rejected')
  const [waiting] = held.filter((one) => one.verdict === null)
  if (waiting !== undefined)
    return because(
      `the guard holds it: ${WHATS[waiting.what] ?? waiting.what}`,
      '`concord inbox` approves or rejects it',
    )
  if (refused !== undefined)
    return because(
      `${refused.by ?? 'somebody'} rejected it: ${WHATS[refused.what] ?? refused.what}`,
      'another edit of the record is judged anew',
    )
  if (trouble?.outcome === 'rejected' && link.problem !== null)
    return because(
      `${label} refused to ${trouble.op ?? 'write'} it: ${trouble.message ?? link.problem}`,
      'correct the record, and it is sent again; or `concord inbox retry ID`',
    )
  if (trouble?.notBefore !== undefined && trouble.notBefore !== null && trouble.notBefore > hub.clock.now())
    return because(
      `${link.problem ?? 'the last try failed'}; not before ${iso(trouble.notBefore)}`,
      'nothing: it is tried again',
    )
  if (link.state !== 'linked') return notThere(hub, target, record, link)
  if (record.archived && stream.archives === 'keep')
    return because(
      `the record is archived; ${label} keeps its object (archives: keep)`,
      'archive it there by hand, or set archives: archive',
    )
  if (link.problem !== null) return because(link.problem)
  return link.wake > link.settled
    ? because('a write waits for the next pass', `\`concord sync ${stream.connection}\``)
    : NOTHING
}

const WHATS: Readonly<Record<string, string>> = {
  deletes: 'it would be removed there',
  blanks: 'fields would be emptied there',
  optIns: 'it would be opted in there',
}

/** A record that has a link but no object: what the next plan would say. */
async function notThere(hub: Hub, target: Target, record: HubRecord, link: Link): Promise<Why> {
  const { stream, push } = target
  if (push === null) return NOTHING
  if (link.problem !== null && link.state === 'filtered') return because(link.problem)
  const refs = await resolveRefs(hub, hub.db.sql, target, [], [record.fields])
  const step = planPush(stream, push, link, record, refs, '')
  if (step.kind === 'wait')
    return because(
      `it refers to ${step.demands.map((demand) => `record ${demand.recordId}`).join(', ')}, not at ${stream.connection} yet (${step.demands.map((demand) => demand.stream).join(', ')})`,
      'nothing: that is made first',
    )
  if (step.kind === 'write')
    return because('it is made at the next pass', `\`concord sync ${stream.connection}\``)
  return unlinked(target, record)
}
