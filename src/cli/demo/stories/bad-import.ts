import { isDeepStrictEqual } from 'node:util'
import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { guardLimit } from '../../../core/guard.ts'
import { linesOf, planOf } from '../../../runtime/plan/read.ts'
import { number, plural } from '../../output.ts'
import { lineText } from '../../plan-words.ts'
import { done, told } from '../commands.ts'
import { NotSo, type Scene } from '../scene.ts'
import { handedBackAll, settled } from '../sights.ts'
import type { World } from '../world.ts'

const MOST_ROWS = 500
/** Of a small company's rows: in so many, those that lose their title stay below what the guard stops. */
const SHARE = 0.37
const CORRECTED = 'Head of Special Projects'
/** Columns of the export. */
const [ID, EMAIL, TITLE, COLUMNS] = [0, 1, 5, 9]

/** An export whose job titles have slipped by one row goes everywhere, and is taken back. */
export async function badImport(world: World, scene: Scene): Promise<void> {
  const { hub, vendors } = world
  await settled(world, scene)
  const before = await sights(world)
  const slip = await slipped(path.join(vendors.folder, 'contacts.csv'))

  let plan = 0
  await scene.step(async () => {
    await save(path.join(vendors.folder, 'contacts.csv'), slip.text)
    const { code, output } = await world.programs.run('plan', 'csv')
    plan = Number(/^Plan (\d+):/.exec(output)?.[1])
    const summary = (await planOf(hub, plan))?.summary.streams.find(({ stream }) => stream === 'csv/contacts')
    if (code !== 0 || summary === undefined)
      throw new NotSo(`concord plan csv should end well; it ended with ${code}: ${output.trim()}`)
    const changed = summary.hub['update'] ?? 0
    if (changed === 0) throw new NotSo(`The plan should show changes: ${output.trim()}`)
    scene.same('What the guard would hold', summary.held, [])
    const allowed = await guardAllows(world)
    return `The old CRM's next export has its job titles one row off, in ${plural(slip.rows, 'row')}. concord plan csv foresees it: ${plural(changed, 'contact')} changed, ${plural(slip.emptied, 'title')} emptied, nothing held (the guard stops what empties more than ${number(allowed)}; wrong titles are titles to it):`
  })
  const lines = await linesOf(hub, plan, { stream: 'csv/contacts', side: 'hub', op: 'update' }, 0, 2)
  scene.quote(lines.map(lineText).join('\n'))

  let run = 0
  let damaged = 0
  await scene.step(async () => {
    await done(world, 'sync', 'csv')
    run = await latestRun(world)
    await settled(world, scene)
    const now = await sights(world)
    const [members, customers] = [
      differing(before.members, now.members),
      differing(before.customers, now.customers),
    ]
    damaged = members.length
    if (members.length + customers.length === 0) throw new NotSo('Neither Mailchimp nor Stripe has changed.')
    return `Nobody reads it: concord sync csv. Now ${plural(members.length, 'member')} of Mailchimp and ${plural(customers.length, 'customer')} of Stripe have the title of somebody else, or none.`
  })
  let corrected = ''
  await scene.step(async () => {
    corrected = differing(before.members, await members(world)).find((email) => slip.emails.has(email)) ?? ''
    if (corrected === '') throw new NotSo('Nobody at Mailchimp has a wrong title.')
    vendors.mailchimp.edit(corrected, { JOBTITLE: CORRECTED })
    await scene.until(
      'the hub has it',
      () => titleOf(world, corrected),
      (seen) => seen === CORRECTED,
    )
    await settled(world, scene)
    return `At Mailchimp somebody corrects one of the ${number(damaged)} by hand: ${corrected}. Then: concord undo ${run} --dry-run`
  })
  scene.quote(
    await told(world, (line) => !/^ {2}update|^Nothing was/.test(line), 'undo', String(run), '--dry-run'),
  )

  await scene.step(async () => {
    await done(world, 'undo', String(run), '--yes')
    await settled(world, scene)
    return `concord undo ${run}: the hub has the titles back, and tells the systems.`
  })
  await scene.step(async () => {
    const now = await sights(world)
    const [id = 0] = await idsOf(world, corrected)
    scene.same('The members that are not as before', differing(before.members, now.members), [corrected])
    scene.same('The title of the corrected one', now.members.get(corrected)?.fields['JOBTITLE'], CORRECTED)
    const theirs = differing(before.customers, now.customers).filter(
      (customer) => now.customers.get(customer)?.metadata['job_title'] !== CORRECTED,
    )
    scene.same('The customers that are not as before, but for the corrected one', theirs, [])
    scene.same('The contacts that are not as before', differing(before.contacts, now.contacts), [String(id)])
    const handed = await handedBackAll(world)
    const rows = await contactsOf(world, [...slip.titles.keys()])
    const wrong = rows.filter(
      ({ row, contact }) => handed.get(row)?.['job_title'] !== (now.contacts.get(String(contact)) ?? ''),
    )
    scene.same('The rows of the CRM that are not put right', wrong, [])
    return `Compared one by one: ${plural(now.members.size, 'member')}, ${plural(now.customers.size, 'customer')} and ${plural(now.contacts.size, 'contact')} are as they were, but for the one that was corrected meanwhile. The file for the CRM puts its ${plural(rows.length, 'row')} right.`
  })
}

/** The export with the titles of many rows in a row moved up by one, as when a cell is deleted in a spreadsheet. */
async function slipped(file: string) {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  const whole = lines.flatMap((line, at) => {
    const cells = line.split(',')
    return at > 0 && cells.length === COLUMNS && !line.includes('"') ? [{ at, cells }] : []
  })
  const chosen = whole.slice(-Math.min(MOST_ROWS, Math.floor(whole.length * SHARE)))
  let emptied = 0
  const emails = new Set<string>()
  const titles = new Map<string, string>()
  for (const [i, { at, cells }] of chosen.entries()) {
    const title = chosen[(i + 1) % chosen.length]?.cells[TITLE] ?? ''
    if (title === '' && cells[TITLE] !== '') emptied += 1
    if (title === cells[TITLE]) continue
    emails.add((cells[EMAIL] ?? '').toLowerCase())
    titles.set(cells[ID] ?? '', cells[TITLE] ?? '')
    lines[at] = cells.with(TITLE, title).join(',')
  }
  return { text: `${lines.join('\n')}\n`, rows: chosen.length, emptied, emails, titles }
}

async function save(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text)
  await rename(`${file}.tmp`, file)
}

/** How many contacts an export may empty before the guard stops it. */
async function guardAllows({ hub }: World): Promise<number> {
  const target = hub.targets.find(({ label }) => label === 'csv/contacts')
  if (target === undefined) throw new NotSo('There is no stream csv/contacts.')
  const [row] = await hub.db.sql<{ count: number }[]>`
    select count(*) as count from links where stream_id = ${target.id} and state = 'linked'`
  return guardLimit(row?.count ?? 0, target.stream.guard)
}

async function latestRun({ hub }: World): Promise<number> {
  const [run] = await hub.db.sql<{ id: number }[]>`
    select r.id from runs r join streams s on s.id = r.stream_id
    where s.connection = 'csv' and s.name = 'contacts' and r.kind in ('observe', 'sweep')
    order by r.id desc limit 1`
  if (run === undefined) throw new NotSo('No run of csv/contacts is written down.')
  return run.id
}

async function titleOf({ hub }: World, email: string): Promise<string | null> {
  const [row] = await hub.db.sql<{ title: string | null }[]>`
    select job_title as title from contacts where ${email} = any(emails) and archived_at is null`
  return row?.title ?? null
}

async function idsOf({ hub }: World, email: string): Promise<readonly number[]> {
  const rows = await hub.db.sql<{ id: number }[]>`
    select id from contacts where ${email} = any(emails) and archived_at is null`
  return rows.map(({ id }) => id)
}

/** The contacts that rows of the export belong to. */
async function contactsOf({ hub }: World, ids: readonly string[]) {
  return hub.db.sql<{ row: string; contact: number }[]>`
    select l.remote_id as row, l.record_id as contact from links l join streams s on s.id = l.stream_id
    where l.remote_id = any(${[...ids]}) and s.connection = 'csv' and s.name = 'contacts' and l.state = 'linked'`
}

async function members({ vendors }: World) {
  return new Map(vendors.mailchimp.members().map((member) => [member.email.toLowerCase(), member]))
}

/** Everybody, at the systems and in the hub. */
async function sights(world: World) {
  const contacts = await world.hub.db.sql<{ id: number; title: string | null }[]>`
    select id, job_title as title from contacts where archived_at is null`
  return {
    members: await members(world),
    customers: new Map(world.vendors.stripe.customers().map((customer) => [customer.id, customer])),
    contacts: new Map(contacts.map(({ id, title }) => [String(id), title])),
  }
}

/** The keys whose values are not the same on both sides. */
function differing<T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): readonly string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter(
    (key) => !isDeepStrictEqual(one.get(key), other.get(key)),
  )
}
