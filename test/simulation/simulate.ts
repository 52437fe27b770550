import { openChance } from './chance.ts'
import { openGround, type Ground } from './ground.ts'
import * as hubSteps from './hub-steps.ts'
import { Oracle } from './oracle.ts'
import * as desk from './mail/desk-steps.ts'
import * as letters from './mail/letter-steps.ts'
import { mailProperties } from './mail/mail-properties.ts'
import { introduce } from './people.ts'
import type { Plant } from './plants.ts'
import { checkAll } from './properties.ts'
import { rested } from './rested.ts'
import { Run, type Violation } from './run.ts'
import { settle } from './settle.ts'
import { firstStart } from './trust/first-start.ts'
import { act, hasTrust } from './trust/trust.ts'
import * as vendorSteps from './vendor-steps.ts'
import type { Step } from './vendor-steps.ts'
import type { FaultKind } from './weather.ts'

const STEPS: Readonly<Record<string, readonly [weight: number, step: Step]>> = {
  'edit at Mailchimp': [8, vendorSteps.editAtMailchimp],
  'edit at Stripe': [8, vendorSteps.editAtStripe],
  'edit in CSV': [8, vendorSteps.editInCsv],
  'edit in the hub': [8, vendorSteps.editInHub],
  tug: [6, vendorSteps.tug],
  buy: [4, vendorSteps.buy],
  'create in the hub': [1, vendorSteps.createInHub],
  'new person': [4, vendorSteps.newPerson],
  'change of address': [3, vendorSteps.changeEmail],
  consent: [8, vendorSteps.consentAct],
  remove: [3, vendorSteps.removeObject],
  'win a deal': [6, vendorSteps.winDeal],
  'settle an invoice': [3, vendorSteps.settleInvoice],
  'break a row': [1, vendorSteps.breakRow],
  'break a customer': [0.5, vendorSteps.breakCustomer],
  export: [8, hubSteps.exportRows],
  'mass vanish': [1, hubSteps.massVanish],
  'sync one': [14, hubSteps.syncOne],
  'sync all': [6, hubSteps.syncEverything],
  push: [4, hubSteps.pushOne],
  webhooks: [6, hubSteps.webhooks],
  time: [8, hubSteps.passTime],
  weather: [7, hubSteps.weather],
  crash: [6, hubSteps.crash],
  race: [3, hubSteps.race],
  revoke: [1, hubSteps.revoke],
  authorise: [3, hubSteps.authorise],
  'answer a conflict': [2, hubSteps.answerConflict],
}
/** In seeds with mail. */
const MAIL_STEPS: Readonly<Record<string, readonly [weight: number, step: Step]>> = {
  'a customer writes': [14, letters.customerWrites],
  'one of us writes': [10, letters.repWrites],
  'mail nobody wrote': [7, letters.noise],
  'a late parent': [3, letters.lateParent],
  'a repeated id': [1, letters.repeatedId],
  draft: [5, letters.draft],
  'sort mail': [14, desk.sorting],
  rename: [3, desk.renaming],
  withdraw: [5, desk.withdrawal],
  'other rules': [2, desk.otherRules],
  forget: [7, desk.forgetting],
  quirks: [3, desk.quirks],
  'mail pass': [8, desk.mailPass],
}
const weightsOf = (steps: typeof STEPS) =>
  Object.fromEntries(Object.entries(steps).map(([name, [weight]]) => [name, weight]))
const WEIGHTS = weightsOf(STEPS)
const MAIL_WEIGHTS = weightsOf(MAIL_STEPS)

/** Mail makes a run twice as long; half of the seeds have it. */
export const hasMail = (seed: number): boolean => seed % 2 === 0

export type Result = {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** The same for the same seed. */
  readonly digest: string
  readonly fired: ReadonlyMap<FaultKind, number>
  readonly steps: number
}
export type Options = {
  readonly plant?: Plant | null
  /** Processes overlap at the database as they like; the trace is then another one each time. */
  readonly free?: boolean
  /** With mail, whatever the seed. */
  readonly mail?: boolean
  /** With merges, undoes and approvals, whatever the seed. */
  readonly trust?: boolean
  /** Of those, only this one. */
  readonly act?: string | undefined
  readonly tell?: (line: string) => void
}

/** One seed, on an empty migrated database. */
export async function simulate(seed: number, url: string, options: Options = {}): Promise<Result> {
  const trusts = options.trust ?? hasTrust(seed)
  // An act that is looked for by itself is not to wait for a hub's first plans.
  const asks = trusts && options.act === undefined && openChance(seed, 'first').maybe(0.5)
  const ground = await openGround(seed, url, options.plant ?? null, options.mail ?? hasMail(seed), asks)
  ground.turns.strict = options.free !== true
  const run = new Run(ground, await ground.start(), openChance(seed, 'people'), new Oracle(), options.tell)
  let steps = 0
  let violations: readonly Violation[] = []
  try {
    await subscribe(run)
    introduce(run, run.addresses, run.chance.int(4, 12))
    await hubSteps.exportRows(run)
    if (run.post !== null) await letters.fillMailboxes(run)
    violations = asks ? await firstStart(run) : []
    if (violations.length === 0) violations = await epochEnd(run)
    for (let epoch = run.chance.int(1, 3); epoch > 0 && violations.length === 0; epoch--) {
      const count = run.chance.int(10, 30)
      for (let n = 0; n < count; n++, steps++) await step(run)
      violations = await epochEnd(run)
      if (!trusts || violations.length > 0) continue
      violations = await act(run, options.act ?? null)
      if (violations.length === 0) await rested(run)
    }
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error)
    violations = [{ property: 'No bug', message: said }]
  } finally {
    if (violations.length > 0 && options.tell !== undefined)
      await tellHistory(ground, violations, options.tell)
    run.note('end')
    await run.process.mortal.bury()
    await ground.close()
  }
  return { seed, violations, digest: run.digest(), fired: ground.weather.fired, steps }
}

async function step(run: Run): Promise<void> {
  const name = run.chance.weighted({
    ...WEIGHTS,
    ...(run.post === null ? {} : MAIL_WEIGHTS),
    ...run.ground.plant?.weights,
  })
  const told = await (STEPS[name] ?? MAIL_STEPS[name])?.[1](run)
  if (typeof told === 'string') run.note(told)
}

/** All comes to rest, and everything is looked at. */
async function epochEnd(run: Run): Promise<readonly Violation[]> {
  const restless = await settle(run)
  if (restless.length > 0) return restless
  const found = [...(await checkAll(run)), ...(await mailProperties(run))]
  await rested(run)
  return found
}

async function subscribe(run: Run): Promise<void> {
  const { ground, process } = run
  for (const name of ['mailchimp', 'stripe'] as const) {
    const url = `https://hub.example.com/webhooks/${name}?secret=hook`
    const subscribed = await ground.connectors[name]?.webhooks?.subscribe?.(
      await process.hub.io(name),
      url,
      null,
    )
    if (name === 'stripe') ground.webhookSecrets.stripe = subscribed?.secret ?? ''
  }
}

/** For who looks into a failing seed: how the records that it names came to be. */
async function tellHistory(
  { sql }: Ground,
  violations: readonly Violation[],
  tell: (line: string) => void,
): Promise<void> {
  const text = violations.map(({ message }) => message).join(' ')
  const named = [...text.matchAll(/(?:contact|deal|record) (\d+)/g)].map((match) => Number(match[1]))
  const remote = await sql<{ id: number }[]>`
    select record_id as id from links where remote_id is not null and position(remote_id in ${text}) > 0`
  for (const id of new Set([...named, ...remote.map((row) => row.id)])) {
    const history = await sql`
      select at, op, version, source, changes from history where record_id = ${id} order by id`
    for (const row of history)
      tell(`record ${id} ${new Date(Number(row['at'])).toISOString()} ${JSON.stringify(row)}`)
    const links = await sql`
      select s.connection, l.remote_id, l.state, l.consent, l.base, l.observed, l.problem, l.wake, l.settled
      from links l join streams s on s.id = l.stream_id where l.record_id = ${id} order by l.id`
    for (const row of links) tell(`record ${id} link ${JSON.stringify(row)}`)
    const outbox =
      await sql`select key, op, state, body, outcome, link_id from outbox where record_id = ${id} order by id`
    for (const row of outbox) tell(`record ${id} outbox ${JSON.stringify(row)}`)
  }
  for (const row of await sql`select state, kind, title, record_id, resolution, created_at, updated_at from inbox order by id`)
    tell(`inbox ${JSON.stringify(row)}`)
  for (const row of await sql`select * from runs order by id`) tell(`run ${JSON.stringify(row)}`)
}
