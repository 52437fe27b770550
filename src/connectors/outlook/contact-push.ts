import { z } from 'zod'
import { unreachable } from '../../core/json.ts'
import {
  type CreateWrite,
  failureOf,
  type Io,
  type Observation,
  type Outcome,
  outcomeOf,
  type Write,
} from '../connector.ts'
import { contactChange, CONTACT_SELECT, contactParams, difference, observe } from './contact-body.ts'
import { contactPath, folderPath, observed, readRaw } from './contact-read.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, askPage, bytes, CONCURRENT } from './graph.ts'
import { contactsHome } from './settings.ts'

/**
 * Graph has no keys for creates. So a contact carries the record it was made for, in a named property that people do
 * not see, and each create looks for it first: an email address would find the wrong person, or nobody.
 * https://learn.microsoft.com/en-us/graph/api/resources/extended-properties-overview
 */
const MARK = 'String {00020329-0000-0000-C000-000000000046} Name ConcordRecord'

/** As many at once as a mailbox allows, but those to one contact in their order. */
export async function sendContacts(io: Io, writes: readonly Write[]): Promise<readonly Outcome[]> {
  const groups = Map.groupBy(writes, (write) => (write.op === 'create' ? `new ${write.key}` : write.id))
  const ends = new Map<Write, PromiseSettledResult<Outcome>>()
  await inParallel([...groups.values()], CONCURRENT, async (group) => {
    for (const write of group) {
      const [end] = await Promise.allSettled([attempt(io, write)])
      ends.set(write, end)
    }
  })
  return writes.map((write) => {
    const end = ends.get(write)
    if (end === undefined) throw new Error('A write was left without an outcome')
    if (end.status === 'rejected') throw end.reason
    return end.value
  })
}

async function attempt(io: Io, write: Write): Promise<Outcome> {
  try {
    return await send(io, write)
  } catch (error) {
    return outcomeOf(error)
  }
}

async function send(io: Io, write: Write): Promise<Outcome> {
  switch (write.op) {
    case 'create':
      return create(io, write)
    case 'update':
      return update(io, write)
    // Outlook knows of no consent: a field that a mapping uses for it is a field like any other.
    case 'consent': {
      const now = await readRaw(io, write.id)
      const seen = now === null ? null : observed(now, 'no')
      if (seen === null) return { kind: 'stale' }
      return update(io, { ...write, op: 'update', version: seen.version, observed: seen.body })
    }
    case 'archive':
      return archive(io, write)
    default:
      return unreachable(write)
  }
}

/** https://learn.microsoft.com/en-us/graph/api/user-post-contacts */
async function create(io: Io, write: CreateWrite): Promise<Outcome> {
  const read = contactChange.safeParse(write.body)
  if (!read.success) return unfit(read.error)
  const made = await madeFor(io, write)
  if (made !== null) return { kind: 'applied', observation: made }
  const body = {
    ...contactParams(write.body, {}),
    singleValueExtendedProperties: [{ id: MARK, value: String(write.recordId) }],
  }
  const to = `${contactsHome(io)}${folderPath(io)}/contacts`
  const answer = await ask(io, { method: 'POST', to, body }, z.looseObject({}))
  return { kind: 'applied', observation: observed(answer, 'unknown') }
}

/**
 * `If-Match`: what changed at Outlook in between is not written over. A patch that says nothing new is not sent, as it
 * would make a new version all the same. https://learn.microsoft.com/en-us/graph/api/contact-update
 */
async function update(io: Io, write: Write & { readonly op: 'update' }): Promise<Outcome> {
  const read = contactChange.safeParse(write.patch)
  if (!read.success) return unfit(read.error)
  const body = difference(contactParams(write.patch, write.observed), write.observed)
  if (Object.keys(body).length === 0) {
    const now = await readRaw(io, write.id)
    const seen = now === null ? null : observed(now, 'no')
    const isAsSeen = seen !== null && (write.version === null || seen.version === write.version)
    return isAsSeen ? { kind: 'applied', observation: seen } : { kind: 'stale' }
  }
  const call = { method: 'PATCH', to: contactPath(io, write.id), body, version: write.version } as const
  return { kind: 'applied', observation: observed(await ask(io, call, z.looseObject({})), 'unknown') }
}

/** Outlook has no archive for contacts: this deletes, and a person finds it under the deleted items. */
async function archive(io: Io, { id, version }: Write & { readonly op: 'archive' }): Promise<Outcome> {
  try {
    await bytes(io, { method: 'DELETE', to: contactPath(io, id), version })
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') throw error
  }
  return { kind: 'applied', observation: { kind: 'absent', id } }
}

export async function findContacts(
  io: Io,
  creates: readonly CreateWrite[],
): Promise<readonly (Observation | null)[]> {
  return inParallel(creates, CONCURRENT, (create) => madeFor(io, create))
}

const dated = z.looseObject({ id: z.string(), createdDateTime: z.string().nullish() })

/** A person may have copied the contact, mark and all: the oldest is ours. */
async function madeFor(io: Io, { recordId }: CreateWrite): Promise<Observation | null> {
  const query = {
    $select: `${CONTACT_SELECT},createdDateTime`,
    $filter: `singleValueExtendedProperties/any(ep: ep/id eq '${MARK}' and ep/value eq '${recordId}')`,
  }
  const to = `${contactsHome(io)}${folderPath(io)}/contacts`
  const { value } = await askPage(io, { method: 'GET', to, query })
  const ours = value
    .flatMap((raw) => dated.safeParse(raw).data ?? [])
    .toSorted((a, b) => ageOf(a).localeCompare(ageOf(b)))
  return ours.map((raw) => observe(raw)).find((seen) => seen !== null) ?? null
}

const ageOf = (one: z.output<typeof dated>) => `${one.createdDateTime ?? ''} ${one.id}`

/** A body or patch that a contact cannot take. */
function unfit(error: z.ZodError): Outcome {
  const [issue] = error.issues
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const field = [...(issue?.path ?? []), ...keys].slice(0, 2).join('.') || null
  const what = field ?? 'the record'
  return {
    kind: 'rejected',
    code: 'unfit',
    field,
    message: `An Outlook contact cannot take ${what}: ${issue?.message ?? ''}. Correct ${what}, or its mapping.`,
  }
}
