import { z } from 'zod'
import {
  type BadRow,
  type Cursor,
  type Io,
  type Observation,
  type Page,
  type RemoteId,
  type Resource,
  VendorError,
} from '../connector.ts'
import { CONTACT_FIELDS, CONTACT_SELECT, observe } from './contact-body.ts'
import { folderPath, observed, readRaw } from './contact-read.ts'
import { findContacts, sendContacts } from './contact-push.ts'
import { inParallel } from '../in-parallel.ts'
import { askDelta, CONCURRENT } from './graph.ts'
import { contactsHome } from './settings.ts'
import { idOnly, removed } from './wire.ts'

const PAGE = 100

/** Contacts of one folder of one mailbox, in Graph's own shape, cut down to the fields of `discover`. */
export const contacts: Resource = {
  deletes: 'reported',
  discover: async () => CONTACT_FIELDS,
  pull,
  fetch: (io, ids) => inParallel([...new Set(ids)], CONCURRENT, (id) => readContact(io, id)),
  push: { batchMax: 20, dedupe: { kind: 'lookup' }, send: sendContacts, find: findContacts },
}

/** `at` is when the link was given. `next` is a nextLink of the first round (null: its first page) or whatever link later rounds go on from. */
const cursorWire = z.object({ folder: z.string(), next: z.string(), first: z.boolean(), at: z.number() })

/** A link is kept while nothing changes, so that an idle pull writes nothing; but an old one may be forgotten. */
const KEEP_MS = 24 * 3_600_000

/** https://learn.microsoft.com/en-us/graph/api/contact-delta */
async function pull(io: Io, from: Cursor | null): Promise<Page> {
  const home = contactsHome(io)
  const folder = folderPath(io)
  const kept = from === null ? null : cursorWire.safeParse(from).data
  // Also where the setting names another folder by now: everything of that one is new.
  if (kept === undefined || (kept !== null && kept.folder !== `${home}${folder}`))
    throw new VendorError({ kind: 'cursor-expired', message: 'The place in the contacts cannot be used.' })
  const call =
    kept === null
      ? { to: `${home}${folder}/contacts/delta`, query: { $select: CONTACT_SELECT } }
      : { to: kept.next }
  const read = await askDelta(io, { method: 'GET', ...call, pageSize: PAGE })
  const rows = await inParallel(latest(read.value), CONCURRENT, (raw) => rowOf(io, raw))
  const isLast = read.next === null
  const first = kept?.first ?? true
  const observations = rows.flatMap((row) => ('kind' in row ? [row] : []))
  const bad = rows.flatMap((row) => ('kind' in row ? [] : [row]))
  const at = io.now()
  const isIdle = kept !== null && isLast && !first && read.value.length === 0 && at - kept.at < KEEP_MS
  const cursor = isIdle ? kept : { folder: `${home}${folder}`, next: read.link, first: first && !isLast, at }
  return {
    observations,
    bad,
    cursor,
    more: !isLast,
    ...(first && isLast ? { listed: 'everything' } : {}),
  }
}

/** Of items that a page repeats, the last. */
function latest(items: readonly unknown[]): readonly unknown[] {
  const byId = new Map<string, unknown>()
  const nameless: unknown[] = []
  for (const item of items) {
    const { data } = idOnly.safeParse(item)
    if (data === undefined) nameless.push(item)
    else byId.set(data.id, item)
  }
  return [...nameless, ...byId.values()]
}

const whole = z.looseObject({ emailAddresses: z.array(z.unknown()), givenName: z.string().nullable() })

/** A later round may bring only what changed of a contact, or that it was moved: then it is read. */
async function rowOf(io: Io, raw: unknown): Promise<Observation | BadRow> {
  const { data } = idOnly.safeParse(raw)
  if (data === undefined)
    return { where: 'contact without an id', id: null, problem: 'It has no id.', raw: '' }
  const isHere = !removed.safeParse(raw).success && whole.safeParse(raw).success
  const now = isHere ? raw : await readRaw(io, data.id)
  if (now === null) return { kind: 'absent', id: data.id }
  const problem = 'It does not look as Graph describes contacts.'
  return (
    observe(now) ?? {
      where: `contact ${data.id}`,
      id: data.id,
      problem,
      raw: JSON.stringify(now).slice(0, 2_000),
    }
  )
}

/** https://learn.microsoft.com/en-us/graph/api/contact-get */
async function readContact(io: Io, id: RemoteId): Promise<Observation> {
  const raw = await readRaw(io, id)
  return raw === null ? { kind: 'absent', id } : observed(raw, 'no')
}
