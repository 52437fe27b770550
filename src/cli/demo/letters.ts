import { z } from 'zod'
import { askApi } from './api.ts'
import { NotSo } from './scene.ts'
import type { Rep } from './wiring.ts'
import type { World } from './world.ts'

/** Somebody whom nobody has written with yet, at a company, with one open deal; rather one without mail of colleagues. */
export type Customer = {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly company: number
  readonly companyName: string
  readonly deal: number
  readonly dealName: string
}

export async function customerWithoutMail(world: World): Promise<Customer> {
  const [someone] = await world.hub.db.sql<Customer[]>`
    select c.id, concat_ws(' ', c.given_name, c.family_name) as name, c.email, f.id as company, f.name as "companyName",
      min(d.id) as deal, min(d.name) as "dealName"
    from contacts c join companies f on f.id = c.company_id join deals d on d.contact_id = c.id
    where c.archived_at is null and d.archived_at is null and c.email is not null and c.id <> all(${[...world.used]})
      and not exists (select 1 from message_participants p where p.contact_id = c.id)
    group by c.id, f.id having count(*) = 1 and min(d.stage) not in ('Won', 'Lost')
    order by exists (select 1 from activities a where a.deal_id = min(d.id)), c.id limit 1`
  if (someone === undefined) throw new NotSo('There is nobody with one open deal and no mail.')
  world.used.add(someone.id)
  return someone
}

/** The `nth` of our people with a mailbox there. */
export function repAt({ vendors }: World, host: Rep['host'], nth = 0): Rep {
  const rep = vendors.mail.reps.filter((one) => one.host === host)[nth]
  if (rep === undefined) throw new NotSo(`Too few of our people are at ${host}.`)
  return rep
}

const timeline = z.object({
  items: z.array(
    z.object({
      id: z.number(),
      subject: z.string().nullable(),
      contact: z.number().nullable(),
      company: z.number().nullable(),
      deal: z.number().nullable(),
      message: z
        .object({
          messageId: z.string().nullable(),
          direction: z.string(),
          thread: z.number(),
          text: z.string().nullable(),
        })
        .nullable(),
    }),
  ),
})
export type Entry = z.infer<typeof timeline>['items'][number]

/** What the hub's API shows of somebody, latest first. */
export async function timelineAt(world: World, record: string): Promise<readonly Entry[]> {
  return timeline.parse(await askApi(world, `${record}/timeline`)).items
}

const story = z.object({
  mailboxes: z.array(
    z.object({ mailbox: z.string(), verdict: z.string(), reason: z.string().nullable(), waits: z.boolean() }),
  ),
})

/** What each mailbox made of a message: `mailbox: logged`, or `mailbox: filtered private`; sorted. */
export async function verdictsOn(world: World, messageId: string): Promise<readonly string[]> {
  const told = await askApi(world, `messages/explain?id=${encodeURIComponent(messageId)}`)
  if (told === null) return []
  return story
    .parse(told)
    .mailboxes.map(({ mailbox, verdict, reason }) => `${mailbox}: ${verdict} ${reason ?? ''}`.trimEnd())
    .toSorted()
}

const fieldsOf = z.object({ fields: z.record(z.string(), z.json()) })

export async function fieldsAt(world: World, record: string) {
  return fieldsOf.parse(await askApi(world, record)).fields
}

/** Webhooks that the hub has taken in from a vendor so far. */
export async function callsFrom({ hub }: World, connection: string): Promise<number> {
  const [row] = await hub.db.sql<{ count: number }[]>`
    select count(*) as count from webhook_events where connection = ${connection}`
  return row?.count ?? 0
}
