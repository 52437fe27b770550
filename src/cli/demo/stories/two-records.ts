import { appendFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { syncAll } from '../../../runtime/cycle.ts'
import { done, told } from '../commands.ts'
import { NotSo, type Scene } from '../scene.ts'
import { customerAt, handedBack, settled } from '../sights.ts'
import type { World } from '../world.ts'

/** In the export of the old CRM as in her passport; in the newsletter's form as friends call her, with a slip. */
const CRM = { id: 'c-new-1', given: 'Margaret', family: 'Marchbanks', title: 'Head of Procurement' }
const FORM = {
  given: 'Peggy',
  family: 'Marchbnaks',
  phone: '+12025550177',
  email: 'peggy.marchbanks@post.example',
}

type Firm = { readonly name: string; readonly domain: string }
type Item = { readonly id: number; readonly records: readonly number[] }

/** Two records that share no address and no number turn out to be one person; and then, not. */
export async function twoRecords(world: World, scene: Scene): Promise<void> {
  const { hub, vendors } = world
  const firm = await someFirm(world)
  const email = `margaret.marchbanks@${firm.domain}`
  const ids = () => contactsCalled(world, [email, FORM.email])
  let customer = ''

  await scene.step(async () => {
    const row = [CRM.id, email, CRM.given, CRM.family, '', CRM.title, firm.name, firm.domain, '']
    await appendFile(path.join(vendors.folder, 'contacts.csv'), `${row.join(',')}\n`)
    const [pass] = await syncAll(hub, ['csv'], 'changes')
    scene.same('What the sync complains of', pass?.problem ?? null, null)
    customer = vendors.stripe.add({ email, name: `${CRM.given} ${CRM.family}` })
    await scene.until('Stripe and the CRM have one contact', () => systemsOf(world, email), is('csv, stripe'))
    return `${CRM.given} ${CRM.family} of ${firm.name} comes with the export of the old CRM, and becomes a customer at Stripe. Both have ${email}: one contact.`
  })
  let item: Item = { id: 0, records: [] }
  await scene.step(async () => {
    vendors.mailchimp.signUp(FORM.email, {
      FNAME: FORM.given,
      LNAME: FORM.family,
      PHONE: FORM.phone,
      COMPANY: firm.name,
      JOBTITLE: CRM.title,
    })
    const found = await scene.until(
      'the inbox asks',
      () => questionAbout(world, FORM.email),
      (seen) => seen !== null,
    )
    if (found === null) throw new NotSo('The inbox does not ask.')
    item = found
    scene.same('The records it asks about', [...item.records], [...(await ids())])
    return `${FORM.given} ${FORM.family} signs up at Mailchimp by ${FORM.email}. No address and no number is in both, but the inbox asks. concord inbox show ${item.id}:`
  })
  scene.quote(
    await told(
      world,
      (line) => / may be |^likely|^ {2}concord inbox (?:merge|keep)/.test(line),
      'inbox',
      'show',
      String(item.id),
    ),
  )
  const [survivor = 0, loser = 0] = item.records
  const look = () => sights(world, { survivor, loser, customer })
  await settled(world, scene)
  const before = await look()

  await scene.step(async () => {
    await done(world, 'inbox', 'merge', String(item.id))
    await scene.until(
      'Mailchimp, Stripe and the CSV file say the same',
      look,
      ({ mailchimp, stripe, csv }) =>
        mailchimp.fields['FNAME'] === CRM.given &&
        mailchimp.fields['LNAME'] === CRM.family &&
        stripe.phone === FORM.phone &&
        csv['phone'] === FORM.phone,
    )
    return `A person says that they are one: concord inbox merge ${item.id}. Mailchimp now has “${CRM.given} ${CRM.family}”; Stripe and the file for the CRM have the phone number that only the form knew.`
  })
  await scene.step(async () => {
    const { hub: records, mailchimp, stripe } = await look()
    scene.same(
      'The records in the hub',
      records.map(({ id }) => id),
      [survivor],
    )
    scene.same('The addresses', records[0]?.emails, [email, FORM.email])
    scene.same('The address at Mailchimp', mailchimp.email, FORM.email)
    scene.same('The address at Stripe', stripe.email, email)
    return `The hub has one contact, with both addresses, in all three systems; each system keeps the one it knows her by. Who said what: concord explain contact ${email} givenName`
  })
  scene.quote(
    await told(
      world,
      (line) => /^\S|merged record/.test(line),
      'explain',
      'contact',
      String(survivor),
      'givenName',
    ),
  )
  await scene.step(async () => {
    await done(world, 'unmerge', 'contact', String(loser), '--yes')
    await scene.until(
      'Mailchimp has its name back',
      look,
      ({ mailchimp }) => mailchimp.fields['FNAME'] === FORM.given,
    )
    await scene.until(
      'all is as before',
      async () => unlike(before, await look()),
      (parts) => parts.length === 0,
    )
    scene.same('Contacts, member, customer and row', await look(), before)
    return `They were two after all: concord unmerge contact ${loser}. Both contacts, the member and the customer are, field by field, as they were before; the CRM's row is without the number again.`
  })
  await scene.step(async () => {
    scene.same('The questions about the two', await questionAbout(world, FORM.email), null)
    const [apart] = await hub.db.sql<{ count: number }[]>`
      select count(*) as count from kept_apart where a = ${survivor} and b = ${loser}`
    scene.same('The pairs kept apart', apart?.count, 1)
    return 'The two are kept apart from now on: nobody is asked again.'
  })
}

const is = (wanted: string) => (seen: string) => seen === wanted

async function someFirm({ hub }: World): Promise<Firm> {
  const [firm] = await hub.db.sql<Firm[]>`
    select name, domains[1] as domain from companies
    where archived_at is null and cardinality(domains) > 0 order by id limit 1`
  if (firm === undefined) throw new NotSo('There is no company with a domain.')
  return firm
}

/** Connections that hold the contact of an address. */
async function systemsOf({ hub }: World, email: string): Promise<string> {
  const rows = await hub.db.sql<{ connection: string }[]>`
    select distinct s.connection from contacts c join links l on l.record_id = c.id join streams s on s.id = l.stream_id
    where c.email = ${email} and c.archived_at is null and l.state = 'linked' order by 1`
  return rows.map(({ connection }) => connection).join(', ')
}

async function contactsCalled({ hub }: World, emails: readonly string[]): Promise<readonly number[]> {
  const rows = await hub.db.sql<{ id: number }[]>`
    select id from contacts where email = any(${[...emails]}) and archived_at is null order by id`
  return rows.map(({ id }) => id)
}

async function questionAbout({ hub }: World, email: string): Promise<Item | null> {
  const [item] = await hub.db.sql<Item[]>`
    select i.id, array(select r::bigint from jsonb_array_elements_text(i.detail->'records') r) as records
    from inbox i where i.kind = 'duplicate' and i.state = 'open' and i.detail ? 'records'
      and exists (select from contacts c where c.email = ${email} and i.detail->'records' @> to_jsonb(c.id))`
  return item ?? null
}

type Ids = { readonly survivor: number; readonly loser: number; readonly customer: string }

/** What the hub and each system say of the two. */
async function sights(world: World, { survivor, loser, customer }: Ids) {
  const { hub, vendors } = world
  const member = vendors.mailchimp.member(FORM.email)
  const { email, name, phone, metadata } = customerAt(world, customer)
  const records = await hub.db.sql<
    { id: number; name: string; emails: string[]; phones: string[]; title: string; consent: string }[]
  >`
    select id, concat_ws(' ', given_name, family_name) as name, emails, phones, job_title as title,
      coalesce(email_consent, 'unknown') as consent
    from contacts where id = any(${[survivor, loser]}) and archived_at is null order by id`
  const row = await handedBack(world, CRM.id)
  const cell = (name: string) => row?.[name] ?? (name === 'phone' ? '' : null)
  return {
    hub: records.map((record) => ({ ...record })),
    mailchimp: { email: member?.email, status: member?.status, fields: member?.fields ?? {} },
    stripe: { email, name, phone, metadata },
    csv: { phone: cell('phone') },
  }
}

type Sights = Awaited<ReturnType<typeof sights>>

/** What differs, before and after. */
const unlike = (before: Sights, now: Sights) =>
  (['hub', 'mailchimp', 'stripe', 'csv'] as const)
    .filter((part) => !isDeepStrictEqual(before[part], now[part]))
    .map((part) => [part, before[part], now[part]])
