import { open } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'csv-parse'
import { explainRecord } from '../../runtime/explain/record.ts'
import type { Json } from '../../core/json.ts'
import type { Hub } from '../../runtime/hub.ts'
import { NotSo, type Scene } from './scene.ts'
import type { StripeCustomer } from './wiring.ts'
import { SYSTEMS, type World } from './world.ts'

/** One person, by their ids on every side. */
export type Someone = {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly customer: string
  readonly row: string
}

/** A person whom all three systems know, who takes mail, and whom no story has used yet. */
export async function someoneKnownEverywhere(world: World): Promise<Someone> {
  const found = await world.hub.db.sql<Someone[]>`
    select c.id, concat_ws(' ', c.given_name, c.family_name) as name, c.email,
      min(l.remote_id) filter (where s.connection = 'stripe') as customer,
      min(l.remote_id) filter (where s.connection = 'csv') as row
    from contacts c join links l on l.record_id = c.id join streams s on s.id = l.stream_id
    where c.email_consent = 'in' and c.archived_at is null and c.job_title is not null and l.state = 'linked'
      and s.connection = any(${[...SYSTEMS]}) and c.id <> all(${[...world.used]})
    group by c.id having count(distinct s.connection) = 3 and count(*) = 3
    order by c.phones is null, c.id limit 1`
  const [someone] = found
  if (someone === undefined) throw new NotSo('Nobody is known to all three systems.')
  world.used.add(someone.id)
  return someone
}

/** The value of one field of a record, as the hub holds it now. */
export async function held(hub: Hub, id: number, field: string): Promise<Json> {
  const explained = await explainRecord(hub, id, field)
  return explained?.record.fields[field] ?? null
}

export function customerAt({ vendors }: World, id: string): StripeCustomer {
  const found = vendors.stripe.customers().find((customer) => customer.id === id)
  if (found === undefined) throw new NotSo(`Stripe has no customer ${id}.`)
  return found
}

/** A row of the file that the hub writes for the system the exports come from; null where it has none for that id. */
export async function handedBack(world: World, id: string): Promise<Readonly<Record<string, string>> | null> {
  return (await handedBackAll(world)).get(id) ?? null
}

/** All rows of that file by their id. */
export async function handedBackAll({
  vendors,
}: World): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const rows = new Map<string, Readonly<Record<string, string>>>()
  const file = path.join(vendors.folder, 'out', 'contacts.csv')
  const handle = await open(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  })
  if (handle === null) return rows
  let header: readonly string[] | null = null
  for await (const record of handle.createReadStream().pipe(parse())) {
    const cells = cellsOf(record)
    if (header === null) header = cells
    else
      rows.set(
        cells[header.indexOf('id')] ?? '',
        Object.fromEntries(header.map((column, i) => [column, cells[i] ?? ''])),
      )
  }
  return rows
}

const cellsOf = (record: unknown): readonly string[] =>
  Array.isArray(record) ? record.map((cell: unknown) => String(cell)) : []

/** Writes whose outcome nobody knows. */
export async function openWrites(hub: Hub): Promise<number> {
  const [row] = await hub.db.sql<{ count: number }[]>`
    select count(*) as count from outbox where state in ('sending', 'uncertain')`
  return row?.count ?? 0
}

const SENT_MS = 60_000

/** Waits until nothing is to be sent to the systems any more. */
export async function settled({ hub }: World, scene: Scene): Promise<void> {
  const left = async () => {
    const [row] = await hub.db.sql<{ waiting: number }[]>`
      select count(*) as waiting from links l join streams s on s.id = l.stream_id
      where l.wake > l.settled and s.connection in ('mailchimp', 'stripe', 'csv')`
    return { waiting: row?.waiting ?? 0, open: await openWrites(hub) }
  }
  await scene.until('everything is sent', left, ({ waiting, open }) => waiting + open === 0, SENT_MS)
}
