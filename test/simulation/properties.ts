import type { Observation } from '../../src/connectors/connector.ts'
import { moneyOf } from '../../src/core/money.ts'
import { fieldType } from '../../src/core/model.ts'
import { isEmpty, isList, same, type Json } from '../../src/core/json.ts'
import { effective, hubValue, read, type Lens } from '../../src/core/lens.ts'
import { TABLES } from './csv-source.ts'
import { alikeAsked } from './likeness.ts'
import { listItems, type InboxItem } from '../../src/store/inbox.ts'
import { linksById } from '../../src/runtime/link-lookup.ts'
import { resolveRefs } from '../../src/runtime/refs.ts'
import { loadRecords } from '../../src/store/records.ts'
import type { Target } from '../../src/runtime/hub.ts'
import type { Run, Violation } from './run.ts'

type Facts = { readonly run: Run; readonly inbox: readonly InboxItem[] }
type Check = (facts: Facts) => Promise<readonly Violation[]>

/** Every property, each over the hub's tables and the vendors' own state. */
export async function checkAll(run: Run): Promise<readonly Violation[]> {
  const inbox = await listItems(run.ground.sql, { state: 'all', limit: 10_000 })
  const facts: Facts = { run, inbox }
  const found: Violation[] = []
  for (const check of [converged, editsKept, onceOnly, invoiced, consented, nothingLost, poisonHeld, alike]) {
    found.push(...(await check(facts)))
  }
  return found
}

/** 8: who looks like somebody else is asked about. */
const alike: Check = ({ run }) => alikeAsked(run)

const violation = (property: string, message: string): Violation => ({ property, message })

/** 1: for every link, writing what the hub says would change nothing at the remote. */
const converged: Check = async ({ run, inbox }) => {
  const { sql } = run.ground
  const found: Violation[] = []
  const excused = new Set(
    inbox
      .filter((i) => i.state === 'open')
      .flatMap((i) => (i.detail['link'] === undefined ? [] : [Number(i.detail['link'])])),
  )
  for (const target of run.process.hub.targets) {
    const ids = await sql<{ id: number }[]>`
      select id from links where stream_id = ${target.id} and state = 'linked' order by id`
    const links = [
      ...(
        await linksById(
          sql,
          ids.map(({ id }) => id),
        )
      ).values(),
    ]
    links.sort((a, b) => a.id - b.id)
    const remotes = await remotesOf(
      run,
      target,
      links.flatMap((l) => l.remoteId ?? []),
    )
    const records = await loadRecords(
      sql,
      target.stream.record,
      links.map((l) => l.recordId),
    )
    const bodies = [...remotes.values()].flatMap((o) => (o.kind === 'present' ? [o.body] : []))
    const refs = await resolveRefs(
      run.process.hub,
      sql,
      target,
      bodies,
      [...records.values()].map((r) => r.fields),
    )
    const twins = Map.groupBy(links, (link) => link.recordId)
    for (const link of links) {
      const record = records.get(link.recordId)
      const remote = remotes.get(link.remoteId ?? '')
      if (record === undefined || remote === undefined || excused.has(link.id) || record.archived) continue
      if (remote.kind === 'absent') {
        found.push(violation('Convergence', `${target.label} ${link.remoteId} is gone, yet linked`))
        continue
      }
      if ((target.push?.frozen?.(remote.body) ?? null) !== null) continue
      for (const lens of target.stream.lenses(refs)) {
        if (lens.direction !== 'both') continue
        const reading = read(lens, remote.body)
        const mine = hubValue(lens, record.fields)
        // Whom an address names changes with the world, long after it was written down.
        const isRef = lens.fields.some((field) => typeof fieldType(target.stream.record, field) === 'object')
        if (reading.kind === 'invalid' || isRef) continue
        const theirs = reading.kind === 'value' ? reading.value : null
        if (isEmpty(mine) && isEmpty(theirs)) continue
        // Two objects of a merged record keep their own addresses; each is one of the record's.
        const isTwin = (twins.get(link.recordId) ?? []).length > 1
        if (isTwin && OWN_KEYS.has(lens.fields[0] ?? '') && isWithin(theirs, mine ?? null)) continue
        const change = effective(lens.put(mine ?? null, remote.body), remote.body)
        if (change === null || same(mine, theirs) || wasHandedOver(run, target, link.remoteId, lens, mine))
          continue
        const both = `hub ${JSON.stringify(mine)}, remote ${JSON.stringify(theirs)}`
        found.push(violation('Convergence', `${target.label} ${link.remoteId} ${lens.key}: ${both}`))
      }
    }
  }
  return found
}

const OWN_KEYS = new Set(['emails', 'domains'])
const isWithin = (some: Json, all: Json): boolean =>
  isList(some) && isList(all) && some.every((one) => all.includes(one))

/** A folder of exports is told in the handoff; whether its source heeds that is the source's business. */
function wasHandedOver(
  { ground }: Run,
  { stream }: Target,
  id: string | null,
  lens: Lens,
  mine: Json | undefined,
): boolean {
  const table = TABLES.find((name) => stream.connection === 'csv' && name === stream.resource)
  const row = table === undefined ? undefined : ground.source.handed(table).get(id ?? '')
  return row !== undefined && effective(lens.put(mine ?? null, row), row) === null
}

async function remotesOf(
  run: Run,
  target: Target,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Observation>> {
  if (ids.length === 0) return new Map()
  const io = await run.process.hub.io(target.stream.connection)
  return new Map((await target.resource.fetch(io, ids)).map((o) => [o.id, o]))
}

/** 2: what only one side said stands in the hub (and, by 1, everywhere); what lost is to be found. */
const editsKept: Check = async ({ run, inbox }) => {
  const { sql } = run.ground
  const { oracle } = run
  const records = await recordsByRef(run)
  const contacts = await loadRecords(sql, 'contact', [...new Set(records.values())])
  const conflicts = new Set(
    inbox.filter((i) => i.kind === 'conflict' && i.state === 'open').map((i) => i.recordId),
  )
  const history = await sql<{ text: string }[]>`select changes::text as text from history`
  const inboxText = inbox.map((item) => JSON.stringify(item.detail)).join('\n')
  const heard = (value: string) =>
    inboxText.includes(value) || history.some(({ text }) => text.includes(value))
  const { hidden } = run.ground.source
  const isOut = (ref: string) =>
    oracle.removed.has(ref) || (ref.startsWith('csv ') && hidden.has(ref.slice('csv '.length)))
  const groups = Map.groupBy(
    oracle.edits.filter((edit) => records.has(edit.ref)),
    (edit) => `${records.get(edit.ref)} ${edit.field}`,
  )
  const found: Violation[] = []
  for (const [place, all] of groups) {
    const isMet = ({ ref }: { readonly ref: string }) => ref.startsWith('hub ') || oracle.met.has(ref)
    const present = all.filter(({ isPast }) => isPast !== true)
    const edits = present.length > 0 && present.every(isMet) ? present : all
    const [id = '', field = ''] = place.split(' ')
    const record = contacts.get(Number(id))
    if (record === undefined || record.archived || conflicts.has(record.id)) continue
    const last = new Map(edits.map((edit) => [edit.ref, edit.value]))
    const now = record.fields[field] ?? null
    const holds = (value: string | null) =>
      Array.isArray(now) ? value === null || now.includes(value) : now === value
    const says = `contact ${id} ${field} is ${JSON.stringify(now)}`
    const isMeeting = edits.some((edit) => !isMet(edit))
    // Of what people removed, or exports leave out, nobody knows whether it was heard before: it may stand, and need not.
    const isHeard = ![...last.keys()].some(isOut)
    if (!isHeard && last.size === 1) continue
    const who = [...last].map(([ref, value]) => `${ref}: ${value}`).join(', ')
    if (last.size === 1 && !isMeeting) {
      const isPair = [...last.keys()].every((ref) => ref.startsWith('stripe ')) && field.endsWith('Name')
      // Stripe has one field for both names: who edits the other one elsewhere contends for both.
      const isLostOpenly = isPair && [...last.values()].every((value) => value !== null && heard(value))
      if (![...last.values()].every(holds) && !isLostOpenly)
        found.push(violation('No lost edit', `${says}, only ${who} was said`))
      continue
    }
    const agreed = oracle.agreed.get(place) ?? null
    const isSet = Array.isArray(now)
    if (!isSet && ![...last.values()].some(holds) && !((isMeeting || !isHeard) && same(now, toJson(agreed))))
      found.push(violation('No lost edit', `${says}, but was said by ${who}`))
    for (const [ref, value] of last) {
      if (value === null || holds(value) || heard(value) || isOut(ref)) continue
      found.push(violation('No lost edit', `${says}; ${value} of ${ref} is nowhere to be found (${who})`))
    }
  }
  return found
}

const toJson = (value: unknown): Json =>
  typeof value === 'string' || value === null ? value : JSON.stringify(value)

/** The contact behind each object, also of objects that are gone. */
export async function recordsByRef(run: Run): Promise<ReadonlyMap<string, number>> {
  const found = await run.ground.sql<{ ref: string; id: number }[]>`
    select s.connection || ' ' || l.remote_id as ref, l.record_id as id
    from links l join streams s on s.id = l.stream_id
    where s.name in ('contacts', 'members', 'customers') and l.remote_id is not null order by l.id`
  const own = await run.ground.sql<{ id: number }[]>`select id from contacts`
  return new Map([
    ...found.map((row) => [row.ref, row.id] as const),
    ...own.map((row) => [`hub ${row.id}`, row.id] as const),
  ])
}

/** 4: no person twice. */
const onceOnly: Check = async ({ run }) => {
  const made = run.ground.stripe.admin.customers().flatMap(({ id, metadata }) => {
    const record = metadata['concord_record']
    return record === undefined ? [] : [{ id, record }]
  })
  const twice = [...Map.groupBy(made, ({ record }) => record)].filter(([, customers]) => customers.length > 1)
  return twice.map(([record, customers]) =>
    violation(
      'Exactly-once creation',
      `record ${record} has customers ${customers.map((c) => c.id).join(', ')}`,
    ),
  )
}

/** 4: a won deal has one invoice that says what the deal says, or the inbox says what is missing. */
const invoiced: Check = async ({ run, inbox }) => {
  const { sql } = run.ground
  const found: Violation[] = []
  const issued = run.ground.stripe.admin.invoices().map((invoice) => ({
    id: String(invoice['id']),
    status: String(invoice['status']),
    total: Number(invoice['total']),
    currency: String(invoice['currency']).toUpperCase(),
    customer: String(invoice['customer']),
    deal: dealOf(invoice['metadata']),
  }))
  for (const invoice of issued) {
    if (invoice.deal === '') continue
    if (invoice.total <= 0) found.push(violation('Exactly-once creation', `invoice ${invoice.id} is empty`))
    if (invoice.status === 'draft')
      found.push(violation('Nothing lost', `invoice ${invoice.id} is still a draft`))
  }
  const open = inbox.filter((item) => item.state === 'open')
  const deals = await sql<
    { id: number; stage: string | null; amount: Json; contact: number | null; pipeline: string }[]
  >`
    select id, stage, amount, contact_id as contact, pipeline from deals where archived_at is null order by id`
  const customers = await sql<{ remote: string; record: number }[]>`
    select l.remote_id as remote, l.record_id as record from links l join streams s on s.id = l.stream_id
    where s.connection = 'stripe' and s.name = 'customers' and l.remote_id is not null`
  for (const deal of deals) {
    const mine = issued.filter((invoice) => invoice.deal === String(deal.id))
    const standing = mine.filter((invoice) => invoice.status !== 'void')
    if (standing.length > 1) {
      const ids = standing.map(({ id }) => id).join(', ')
      found.push(violation('Exactly-once creation', `deal ${deal.id} has invoices ${ids}`))
    }
    if (deal.stage !== 'Won') {
      if (mine.length > 0 && !open.some((item) => item.recordId === deal.id))
        found.push(violation('Exactly-once creation', `deal ${deal.id} is not won, yet has an invoice`))
      continue
    }
    const asked = open.filter((item) => item.recordId === deal.id || item.kind === 'rejected_write')
    if (mine.length === 0) {
      if (asked.length === 0)
        found.push(violation('Nothing lost', `won deal ${deal.id} has no invoice, and nobody asks`))
      continue
    }
    const [first] = mine
    if (first === undefined || asked.length > 0) continue
    const { amount, currency } = moneyOf(deal.amount) ?? { amount: 0, currency: '' }
    if (first.total !== amount || first.currency !== currency)
      found.push(
        violation(
          'Exactly-once creation',
          `deal ${deal.id} over ${amount} ${currency} has an invoice over ${first.total} ${first.currency}`,
        ),
      )
    if (!customers.some(({ remote, record }) => remote === first.customer && record === deal.contact))
      found.push(
        violation('Exactly-once creation', `the invoice of deal ${deal.id} went to ${first.customer}`),
      )
  }
  return found
}

function dealOf(metadata: unknown): string {
  const isNamed = typeof metadata === 'object' && metadata !== null && 'concord_deal' in metadata
  return isNamed ? String(metadata.concord_deal) : ''
}

/** 5: who has left stays out, everywhere; nobody is asked to confirm by our doing. */
const consented: Check = async ({ run }) => {
  const { ground, oracle } = run
  const found: Violation[] = []
  for (const { email } of ground.mailchimp.audience.confirmationMails)
    found.push(violation('Consent', `${email} was sent a confirmation mail`))
  for (const { email, status } of ground.mailchimp.admin.members())
    if (status === 'subscribed' && oracle.isOut(email))
      found.push(violation('Consent', `${email} opted out and is subscribed at Mailchimp`))
  const people = await ground.sql<{ id: number; emails: string[] | null; consent: string | null }[]>`
    select id, emails, email_consent as consent from contacts where archived_at is null order by id`
  const customers = await ground.sql<{ remote: string; record: number }[]>`
    select l.remote_id as remote, l.record_id as record from links l join streams s on s.id = l.stream_id
    where s.connection = 'stripe' and s.name = 'customers' and l.state = 'linked'`
  const marks = new Map(ground.stripe.admin.customers().map((c) => [c.id, c.metadata['email_opt_out']]))
  for (const { id, emails, consent } of people) {
    const left = (emails ?? []).filter((address) => oracle.isOut(address))
    if (left.length === 0) continue
    if (consent !== 'out')
      found.push(violation('Consent', `${left[0]} opted out, contact ${id} says ${consent}`))
    for (const { remote } of customers.filter(({ record }) => record === id))
      if (marks.has(remote) && marks.get(remote) !== 'true')
        found.push(violation('Consent', `${left[0]} opted out, customer ${remote} is not marked`))
  }
  return found
}

/** 6: everybody at a vendor is one live record; no work is left over. */
const nothingLost: Check = async ({ run, inbox }) => {
  const { ground } = run
  const { sql } = ground
  const found: Violation[] = []
  const lost = (message: string) => found.push(violation('Nothing lost', message))
  const links = await sql<{ ref: string; live: boolean; n: number }[]>`
    select s.connection || ' ' || l.remote_id as ref, bool_and(c.archived_at is null) as live, count(*)::int as n
    from links l join streams s on s.id = l.stream_id join contacts c on c.id = l.record_id
    where s.name in ('contacts', 'members', 'customers') and l.state = 'linked' group by 1`
  const byRef = new Map(links.map((row) => [row.ref, row]))
  const rows = [...ground.source.rows.contacts.keys()].filter((id) => !ground.source.hidden.has(id))
  const refs = [
    ...ground.mailchimp.admin.members().map((m) => `mailchimp ${m.contactId}`),
    ...ground.stripe.admin.customers().map((c) => `stripe ${c.id}`),
    ...rows.map((id) => `csv ${id}`),
  ]
  for (const ref of refs) {
    const link = byRef.get(ref)
    if (link === undefined) lost(`${ref} is not linked`)
    else if (!link.live) lost(`${ref} is linked to an archived record`)
    else if (link.n !== 1) lost(`${ref} has ${link.n} links`)
  }
  const open = inbox.filter((item) => item.state === 'open')
  const doubles = await sql<{ email: string }[]>`
    select e.email from contacts c, unnest(c.emails) as e(email)
    where c.archived_at is null group by 1 having count(*) > 1`
  for (const { email } of doubles)
    if (!open.some((item) => item.kind === 'duplicate' && JSON.stringify(item.detail).includes(email)))
      lost(`two contacts have ${email}, and nobody asks`)
  const outbox = await sql<{ key: string; op: string; state: string }[]>`
    select key, op, state from outbox where state in ('sending', 'uncertain')`
  for (const { key, op, state } of outbox) lost(`outbox ${key} (${op}) is ${state}`)
  const due = await sql<{ id: number; state: string; problem: string | null }[]>`
    select id, state, problem from links where (wake > settled or state = 'creating') and state not in ('gone')`
  for (const { id, state, problem } of due)
    if (!waits(problem, open)) lost(`link ${id} (${state}) is due for ever: ${problem}`)
  return found
}

/** An invoice waits for its customer as long as the inbox says why there is none. */
function waits(problem: string | null, open: readonly InboxItem[]): boolean {
  return problem?.startsWith('waits for') === true && open.some((item) => item.kind === 'rejected_write')
}

/** 7: what cannot be read is kept with its reason, and the rest of its page went on (6). */
const poisonHeld: Check = async ({ run }) => {
  const places = await run.ground.sql<{ raw: string; remoteId: string | null; place: string }[]>`
    select raw, remote_id as "remoteId", place from quarantine`
  return run.ground.source.broken.flatMap(({ text }) => {
    const [id = '', second = ''] = text.split(',')
    const told = places.some(
      ({ raw, remoteId, place }) =>
        raw.includes(id === '' ? second : id) || remoteId === id || place.startsWith(`${id} `),
    )
    return told ? [] : [violation('Poison', `the broken row ${text} is not in quarantine`)]
  })
}
