import type { JsonObject } from '../../src/core/json.ts'
import { editRecord, createRecord } from '../../src/runtime/edit.ts'
import { loadRecords } from '../../src/store/records.ts'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { ALL } from './ground.ts'
import { appear } from './people.ts'
import type { Run } from './run.ts'

/** What people do at the vendors and in the hub. Each says what it did, or null where there was nothing to do it to. */
export type Step = (run: Run) => Promise<string | null> | string | null

const CSV_FIELDS = {
  givenName: 'first_name',
  familyName: 'last_name',
  jobTitle: 'job_title',
  companyName: 'company',
  phones: 'phone',
} as const
const MAILCHIMP_FIELDS = {
  givenName: 'FNAME',
  familyName: 'LNAME',
  jobTitle: 'JOBTITLE',
  companyName: 'COMPANY',
  phones: 'PHONE',
} as const
const FIELDS = ['givenName', 'familyName', 'jobTitle', 'companyName', 'phones'] as const
type Field = (typeof FIELDS)[number]

/** Names are single words: where two words end is for the codec's own tests. */
function freshValue({ oracle, chance }: Run, field: Field): string | null {
  if (field === 'phones') return oracle.phone()
  if (chance.maybe(0.1) && (field === 'jobTitle' || field === 'companyName')) return null
  return oracle.fresh(field.replaceAll(/[a-z]+N/g, 'N'))
}

const members = ({ ground }: Run) =>
  ground.mailchimp.admin.members().filter(({ status }) => status !== 'archived' && status !== 'cleaned')
const customers = ({ ground }: Run) => ground.stripe.admin.customers()
const contactRows = ({ ground }: Run) => [...ground.source.rows.contacts.values()]

export const editAtMailchimp: Step = (run) => {
  const found = members(run)
  if (found.length === 0) return null
  const member = run.chance.pick(found)
  const field = run.chance.pick(FIELDS)
  const value = freshValue(run, field)
  run.ground.mailchimp.admin.editProfile(member.email, { [MAILCHIMP_FIELDS[field]]: value ?? '' })
  run.oracle.edit(`mailchimp ${member.contactId}`, field, value)
  return `mailchimp: ${member.email} ${field} = ${value}`
}

export const editAtStripe: Step = (run) => {
  const found = customers(run)
  if (found.length === 0) return null
  const customer = run.chance.pick(found)
  const { admin } = run.ground.stripe
  const field = run.chance.pick(FIELDS)
  const value = freshValue(run, field)
  const [given = 'Nobody', family = 'Known'] = (customer.name ?? '').split(' ')
  switch (field) {
    case 'givenName':
      admin.editCustomer(customer.id, { name: `${value} ${family}` })
      break
    case 'familyName':
      admin.editCustomer(customer.id, { name: `${given} ${value}` })
      break
    case 'jobTitle':
      admin.editCustomer(customer.id, { metadata: { job_title: value ?? '' } })
      break
    case 'companyName':
      admin.editCustomer(customer.id, { metadata: { company: value ?? '' } })
      break
    case 'phones':
      admin.editCustomer(customer.id, { phone: value })
      break
  }
  run.oracle.edit(`stripe ${customer.id}`, field, value)
  return `stripe: ${customer.id} ${field} = ${value}`
}

export const editInCsv: Step = (run) => {
  const rows = contactRows(run)
  if (rows.length === 0) return null
  const row = run.chance.pick(rows)
  const id = String(row['id'])
  const field = run.chance.pick(FIELDS)
  const value = freshValue(run, field)
  if (row[CSV_FIELDS[field]] === (value ?? '')) return null
  run.ground.source.put('contacts', id, { [CSV_FIELDS[field]]: value ?? '' })
  run.oracle.edit(`csv ${id}`, field, value)
  return `csv: ${id} ${field} = ${value}`
}

export const editInHub: Step = async (run) => {
  const found = await run.ground.sql<{ id: number; phones: string[] | null }[]>`
    select id, phones from contacts where archived_at is null order by id`
  if (found.length === 0) return null
  const { id, phones } = run.chance.pick(found)
  const field = run.chance.pick(FIELDS)
  const value = freshValue(run, field)
  const given: JsonObject = {
    [field]: field === 'phones' ? [...(value === null ? [] : [value]), ...(phones ?? [])] : value,
  }
  const source = run.chance.pick(['api', 'user:ann'])
  const saved = await run.work('edit', (hub) => editRecord(hub, 'contact', id, given, source))
  if (saved === 'died' || saved.kind !== 'saved')
    return `hub: ${id} ${field} refused ${JSON.stringify(saved)}`
  run.oracle.edit(`hub ${id}`, field, value)
  return `hub: ${id} ${field} = ${value} by ${source}`
}

/** One person is edited in one system after the other, each time before all have heard of the last time. */
export const tug: Step = async (run) => {
  const people = await run.ground.sql<{ id: number; refs: string[] }[]>`
    select l.record_id as id, array_agg(s.connection || ' ' || l.remote_id order by l.id) as refs
    from links l join streams s on s.id = l.stream_id
    where s.name in ('contacts', 'members', 'customers') and l.state = 'linked'
    group by l.record_id having count(distinct s.connection) > 1
    order by count(distinct s.connection) desc, min(l.id) limit 4`
  if (people.length === 0) return null
  const { id, refs } = run.chance.pick(people)
  const field = run.chance.pick(['jobTitle', 'companyName', 'givenName'] as const)
  for (const ref of run.chance.shuffled([...refs, `hub ${id}`])) {
    const value = freshValue(run, field)
    const [where = ''] = ref.split(' ')
    if (where === 'hub')
      await run.work('edit', (hub) => editRecord(hub, 'contact', id, { [field]: value }, 'api'))
    else if (!editAt(run, ref, field, value)) continue
    run.oracle.edit(ref, field, value)
    run.note(`tug: ${ref} ${field} = ${value}`)
    if (where === 'csv') run.ground.source.export((run.ground.clock.now += 1000))
    // Who was edited is read first, while the others still say what they were told last.
    const names = run.chance.shuffled(ALL).toSorted((a, b) => Number(b === where) - Number(a === where))
    const passed = await run.work('sync all', (hub) => syncAll(hub, names, 'changes'))
    const isHeard =
      passed !== 'died' && passed.every(({ problem, held }) => problem === null && held.length === 0)
    const isTold = refs.every((one) => {
      const [connection, row = ''] = one.split(' ')
      return connection !== 'csv' || run.ground.source.isTold('contacts', row)
    })
    const record = (await loadRecords(run.ground.sql, 'contact', [id])).get(id)
    const waiting = await run.ground.sql`select from links where record_id = ${id} and wake > settled`
    if (isHeard && isTold && waiting.length === 0 && record?.fields[field] === value)
      run.oracle.agree([...refs, `hub ${id}`], field, value)
    run.ground.clock.now += run.chance.pick([1000, 60_000])
  }
  return null
}

function editAt(
  { ground }: Run,
  ref: string,
  field: 'jobTitle' | 'companyName' | 'givenName',
  value: string | null,
): boolean {
  const [connection, id = ''] = ref.split(' ')
  switch (connection) {
    case 'csv':
      // Where it says so already, nobody can see an edit.
      if ((ground.source.rows.contacts.get(id)?.[CSV_FIELDS[field]] ?? value ?? '') === (value ?? ''))
        return false
      ground.source.put('contacts', id, { [CSV_FIELDS[field]]: value ?? '' })
      return true
    case 'mailchimp': {
      const member = ground.mailchimp.admin.members().find(({ contactId }) => contactId === id)
      if (member === undefined || member.status === 'archived' || member.status === 'cleaned') return false
      ground.mailchimp.admin.editProfile(member.email, { [MAILCHIMP_FIELDS[field]]: value ?? '' })
      return true
    }
    default: {
      const customer = ground.stripe.admin.customers().find((one) => one.id === id)
      if (customer === undefined) return false
      const family = (customer.name ?? '').split(' ')[1] ?? 'Known'
      if (field === 'givenName') ground.stripe.admin.editCustomer(id, { name: `${value} ${family}` })
      else {
        const key = field === 'jobTitle' ? 'job_title' : 'company'
        ground.stripe.admin.editCustomer(id, { metadata: { [key]: value ?? '' } })
      }
      return true
    }
  }
}

/** Somebody who was never billed buys something, while Stripe has a bad day or the process dies. */
export const buy: Step = async (run) => {
  const { chance, ground } = run
  const email = run.addresses.fresh()
  const given = { givenName: 'Buyer', familyName: run.oracle.fresh('Family'), emails: [email] }
  const person = await run.work('create', (hub) => createRecord(hub, 'contact', given, 'api'))
  if (person === 'died' || person.kind !== 'saved') return null
  for (const field of ['givenName', 'familyName'] as const)
    run.oracle.edit(`hub ${person.record.id}`, field, given[field])
  const deal = {
    name: run.oracle.fresh('Deal '),
    pipeline: 'Sales',
    stage: 'Won',
    amount: { amount: chance.int(100, 99_999), currency: chance.pick(['EUR', 'JPY', 'USD']) },
    contact: person.record.id,
  }
  await run.work('deal', (hub) => createRecord(hub, 'deal', deal, 'api'))
  const paths = ['/v1/customers', '/v1/invoices', '/v1/invoiceitems']
  const isStranded = chance.maybe(0.5)
  const isBrewing = !isStranded && chance.maybe(0.5)
  if (isStranded) run.note(`storm at ${ground.weather.strand(chance.pick(paths))}`)
  if (isBrewing) run.note(`storm at ${ground.weather.brew('stripe')}`)
  if (chance.maybe(0.3)) run.process.mortal.doom = { at: 'after a request', left: chance.int(0, 8) }
  await run.work('push stripe', (hub) => pushConnection(hub, 'stripe'))
  ground.weather.clear()
  ground.clock.now += chance.pick([5000, 200_000])
  await run.work('push stripe', (hub) => pushConnection(hub, 'stripe'))
  return `hub: ${email} buys`
}

export const createInHub: Step = async (run) => {
  const isNew = run.chance.maybe(0.6) || run.addresses.known.length === 0
  const email = isNew ? run.addresses.fresh() : run.chance.pick(run.addresses.known)
  const given = { givenName: 'Hub', familyName: run.oracle.fresh('Family'), emails: [email] }
  const made = await run.work('create', (hub) => createRecord(hub, 'contact', given, 'api'))
  if (made !== 'died' && made.kind === 'saved') {
    for (const field of ['givenName', 'familyName'] as const)
      run.oracle.edit(`hub ${made.record.id}`, field, given[field])
  }
  return `hub: create ${email} ${made === 'died' ? made : made.kind}`
}

export const newPerson: Step = (run) => {
  const place = run.chance.pick(['csv', 'mailchimp', 'stripe'] as const)
  const email =
    run.chance.maybe(0.5) || run.addresses.known.length === 0
      ? run.addresses.fresh()
      : run.chance.pick(run.addresses.known)
  const there = contactRows(run).some((row) => row['email']?.toLowerCase() === email)
  if (place === 'csv' && there) return null
  if (place === 'mailchimp' && run.ground.mailchimp.admin.member(email) !== undefined) return null
  const name = { given: 'New', family: run.oracle.fresh('Family') }
  appear(run, place, email, name)
  return `${place}: ${email} turns up`
}

export const changeEmail: Step = (run) => {
  const place = run.chance.pick(['csv', 'mailchimp', 'stripe'] as const)
  const { ground, oracle, chance } = run
  const next = run.addresses.fresh()
  switch (place) {
    case 'csv': {
      const rows = contactRows(run)
      if (rows.length === 0) return null
      const row = chance.pick(rows)
      ground.source.put('contacts', String(row['id']), { email: next })
      if ((row['unsubscribed'] ?? '') !== '') run.optOutInRow(String(row['id']))
      oracle.edit(`csv ${row['id']}`, 'emails', next)
      return `csv: ${row['id']} ${row['email']} becomes ${next}`
    }
    case 'mailchimp': {
      const found = members(run)
      if (found.length === 0) return null
      const { email, contactId, status } = chance.pick(found)
      ground.mailchimp.admin.changeEmail(email, next)
      oracle.unsaid(email)
      if (status === 'unsubscribed') oracle.act(next, 'out', ground.clock.now)
      oracle.edit(`mailchimp ${contactId}`, 'emails', next)
      return `mailchimp: ${email} becomes ${next}`
    }
    case 'stripe': {
      const found = customers(run)
      if (found.length === 0) return null
      const { id, email, metadata } = chance.pick(found)
      ground.stripe.admin.editCustomer(id, { email: next })
      oracle.unsaid(email ?? '')
      if (metadata['email_opt_out'] === 'true') oracle.act(next, 'out', ground.clock.now)
      oracle.edit(`stripe ${id}`, 'emails', next)
      return `stripe: ${id} ${email} becomes ${next}`
    }
  }
}

/**
 * The hub has told a system that somebody is out who never said so: two people were taken for one for a while. Who says
 * it there now says nothing new, and nobody can see it.
 */
const isTold = ({ oracle }: Run, email: string | null | undefined, isOutThere: boolean): boolean =>
  isOutThere && !oracle.isOut(email ?? '')

/** What a person says about being written to, where and how they say it. */
export const consentAct: Step = async (run) => {
  const { ground, oracle, chance } = run
  const { admin } = ground.mailchimp
  const { now } = ground.clock
  const act = chance.weighted({
    leave: 4,
    bounce: 1,
    return: 2,
    'csv out': 2,
    'stripe out': 1,
    'stripe in': 1,
  })
  if (act === 'csv out') {
    const rows = contactRows(run)
    if (rows.length === 0) return null
    const row = chance.pick(rows)
    const isHeard = isTold(run, row['email'], (row['unsubscribed'] ?? '') !== '')
    ground.source.put('contacts', String(row['id']), { unsubscribed: 'yes' })
    if (!isHeard) run.optOutInRow(String(row['id']))
    return `csv: ${row['id']} ${row['email']} unsubscribed`
  }
  if (act === 'stripe out' || act === 'stripe in') {
    const found = customers(run).filter(({ email }) => email !== null)
    if (found.length === 0) return null
    const { id, email, metadata } = chance.pick(found)
    const isOut = act === 'stripe out'
    const isHeard = isTold(run, email, metadata['email_opt_out'] === 'true')
    const ref = `stripe ${id}`
    const heard = await ground.sql`
      select from links where remote_id = ${id} and observed -> 'metadata' ->> 'email_opt_out' = 'true'`
    if (!isOut && heard.length === 0) oracle.takeBack(email ?? '', ref)
    ground.stripe.admin.editCustomer(id, { metadata: { email_opt_out: String(isOut) } })
    // Somebody else's word for an opt-in proves nothing.
    if (isOut && !isHeard) oracle.act(email ?? '', 'out', now, ref)
    return `stripe: ${id} ${email} email_opt_out = ${isOut}`
  }
  const inList = act === 'return' ? ground.mailchimp.admin.members() : members(run)
  if (inList.length === 0) return null
  const { email, status } = chance.pick(inList)
  if (act === 'return') {
    admin.resubscribeByForm(email)
    oracle.act(email, 'in', now)
  } else {
    if (act === 'leave') admin.unsubscribe(email)
    else admin.clean(email)
    if (act !== 'leave' || !isTold(run, email, status === 'unsubscribed')) oracle.act(email, 'out', now)
  }
  return `mailchimp: ${email} ${act}s`
}

export const removeObject: Step = (run) => {
  const { ground, oracle, chance } = run
  const what = chance.weighted({ archive: 2, forget: 2, customer: 2, row: 3 })
  switch (what) {
    case 'archive':
    case 'forget': {
      const found = members(run)
      if (found.length < 3) return null
      const { email, contactId } = chance.pick(found)
      oracle.unsaid(email)
      if (what === 'archive') ground.mailchimp.admin.archive(email)
      else {
        oracle.removed.add(`mailchimp ${contactId}`)
        ground.mailchimp.admin.deletePermanently(email)
      }
      return `mailchimp: ${email} ${what}`
    }
    case 'customer': {
      const found = customers(run)
      if (found.length < 3) return null
      const { id, email } = chance.pick(found)
      oracle.removed.add(`stripe ${id}`)
      oracle.unsaid(email ?? '')
      ground.stripe.admin.deleteCustomer(id)
      return `stripe: ${id} deleted`
    }
    case 'row': {
      const rows = contactRows(run)
      if (rows.length < 3) return null
      const id = String(chance.pick(rows)['id'])
      oracle.removed.add(`csv ${id}`)
      ground.source.remove('contacts', id)
      return `csv: ${id} removed`
    }
  }
}

export const winDeal: Step = async (run) => {
  const { source } = run.ground
  const open = [...source.rows.deals.values()].filter((row) => row['stage'] === 'Proposal')
  if (open.length === 0) return newDeal(run)
  const id = String(run.chance.pick(open)['id'])
  if (run.chance.maybe(0.5)) {
    source.put('deals', id, { stage: 'Won' })
    return `csv: ${id} won`
  }
  const [found] = await run.ground.sql<{ id: number }[]>`
    select l.record_id as id from links l join streams s on s.id = l.stream_id
    where s.connection = 'csv' and s.name = 'deals' and l.remote_id = ${id} and l.state = 'linked'`
  if (found === undefined) return null
  const won = await run.work('win', (hub) => editRecord(hub, 'deal', found.id, { stage: 'Won' }, 'api'))
  return `hub: deal ${found.id} (${id}) won ${won === 'died' ? won : won.kind}`
}

function newDeal(run: Run): string {
  const { source } = run.ground
  const buyers = contactRows(run)
  const id = run.oracle.fresh('d')
  const kind = run.chance.weighted({ plain: 6, yen: 2, lines: 2, poor: 1, strange: 1 })
  const lines = [
    { description: 'Piece', quantity: 3, unitAmount: 1250 },
    { description: 'Hour', quantity: 1.5, unitAmount: 10_000 },
  ]
  source.put('deals', id, {
    name: run.oracle.fresh('Deal '),
    pipeline: 'Sales',
    stage: run.chance.pick(['Proposal', 'Won']),
    amount: { plain: '99.99', yen: '5000', lines: '187.50', poor: '', strange: '10.00' }[kind],
    currency: { plain: 'EUR', yen: 'JPY', lines: 'USD', poor: 'EUR', strange: 'XXQ' }[kind],
    close_date: '2026-03-01',
    contact_email: buyers.length === 0 ? '' : (run.chance.pick(buyers)['email'] ?? ''),
    lines: kind === 'lines' ? JSON.stringify(lines) : '',
  })
  return `csv: ${id} new deal (${kind})`
}

export const settleInvoice: Step = (run) => {
  const open = run.ground.stripe.admin.invoices().filter((invoice) => invoice['status'] === 'open')
  if (open.length === 0) return null
  const id = String(run.chance.pick(open)['id'])
  if (run.chance.maybe(0.7)) run.ground.stripe.admin.payInvoice(id)
  else run.ground.stripe.admin.voidInvoice(id)
  return `stripe: invoice ${id} settled`
}

export const breakRow: Step = (run) => {
  const { broken } = run.ground.source
  const name = run.oracle.fresh('broken')
  const kind = run.chance.weighted({ short: 3, address: 3, nameless: 1 })
  const text = {
    short: `${name},too,few`,
    address: `${name},not an address,Bro,Ken,,,,,`,
    nameless: `,${name}@example.com,Name,Less,,,,,`,
  }[kind]
  broken.push({ text, hidesId: kind === 'nameless' })
  return `csv: broken row (${kind})`
}

export const breakCustomer: Step = (run) => {
  const { id } = run.ground.stripe.admin.createCustomer({
    email: 'not an address',
    phone: 'call me',
    name: `Bro ${run.oracle.fresh('Ken')}`,
  })
  return `stripe: ${id} with nothing to read`
}
