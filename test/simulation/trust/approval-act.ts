import { approvePlan } from '../../../src/runtime/plan/decide.ts'
import { makePlan, type MadePlan } from '../../../src/runtime/plan/make.ts'
import { syncAll } from '../../../src/runtime/cycle.ts'
import * as hubSteps from '../hub-steps.ts'
import { checkAll } from '../properties.ts'
import type { Run, Violation } from '../run.ts'
import { settle } from '../settle.ts'
import * as vendorSteps from '../vendor-steps.ts'
import type { Step } from '../vendor-steps.ts'

const broken = (message: string): Violation => ({ property: 'Approval', message })

const STEPS: readonly Step[] = [
  vendorSteps.editAtMailchimp,
  vendorSteps.editAtStripe,
  vendorSteps.editInCsv,
  vendorSteps.editInHub,
  vendorSteps.newPerson,
  vendorSteps.consentAct,
  hubSteps.exportRows,
  hubSteps.syncOne,
  hubSteps.syncEverything,
  hubSteps.pushOne,
  hubSteps.webhooks,
  hubSteps.crash,
]

/**
 * The mapping of Mailchimp changes. Whatever happens meanwhile, nothing is written of it to either side before its plan
 * was approved; a plan that is too old, or of another mapping, approves nothing. Then everything goes on as ever.
 */
export async function changeTheMapping(run: Run): Promise<readonly Violation[]> {
  const { chance, ground } = run
  // What worked before anybody was asked is taken as approved.
  await configured(run, true, ground.rules.mapping)
  await configured(run, true, ground.rules.mapping + 1)
  const before = await written(run)
  let old: number | null = null
  for (let left = chance.int(3, 9); left > 0; left--) {
    const told = await chance.pick(STEPS)(run)
    if (typeof told === 'string') run.note(told)
    if (old === null && chance.maybe(0.3)) old = (await planned(run))?.id ?? null
    const wrong = await wrote(run, before)
    if (wrong !== null) return [broken(wrong)]
  }
  ground.weather.clear()
  await hubSteps.authorise(run)
  if (old !== null) {
    const isMoved = chance.maybe(0.5)
    if (isMoved) await configured(run, true, ground.rules.mapping + 1)
    else ground.clock.now += 25 * 3_600_000
    const stale = old
    const answer = await run.work('approve what is stale', (hub) => approvePlan(hub, stale, 'user:ann'))
    if (answer !== 'died' && answer.kind === 'done')
      return [
        broken(`plan ${stale} is stale (${isMoved ? 'another mapping' : 'a day old'}): ${answer.message}`),
      ]
  }
  // A pass of the others first, so that the plan is about Mailchimp alone.
  await run.work('sync the others', (hub) => syncAll(hub, ground.names, 'changes'))
  const wrong = await wrote(run, before)
  if (wrong !== null) return [broken(wrong)]
  const plan = await planned(run)
  const stillWrong = await wrote(run, before)
  if (stillWrong !== null) return [broken(`planning: ${stillWrong}`)]
  if (plan === null) return [broken('no plan could be made on a fine day')]
  const mark = await written(run)
  const approved = await run.work('approve', (hub) => approvePlan(hub, plan.id, 'user:ann'))
  if (approved !== 'died' && approved.kind === 'refused')
    return [broken(`plan ${plan.id}: ${approved.message}`)]
  await run.work('first sync', (hub) => syncAll(hub, ['mailchimp'], 'changes'))
  const kept = await asPlanned(run, plan, mark)
  if (kept !== null) return [broken(kept)]
  const restless = [...(await settle(run)), ...(await checkAll(run))]
  // Nobody is asked from here on: other acts are about other things.
  await configured(run, false, ground.rules.mapping)
  return restless
}

/** Another process, which asks or does not, with that mapping. */
export async function configured(run: Run, asks: boolean, mapping: number): Promise<void> {
  Object.assign(run.ground.rules, { asks, mapping })
  run.note(`the hub is started again: approvals ${asks ? 'asked for' : 'not asked for'}, mapping ${mapping}`)
  await run.replace(run.process)
}

async function planned(run: Run): Promise<MadePlan | null> {
  try {
    const made = await run.work('plan mailchimp', (hub) => makePlan(hub, ['mailchimp'], 'user:ann'))
    return made === 'died' ? null : made
  } catch {
    // The vendor cannot be read today.
    return null
  }
}

type Written = { readonly hub: number; readonly outbox: number; readonly requests: number }

/** What Mailchimp's stream has written: into the hub, and to its side. */
async function written({ ground }: Run): Promise<Written> {
  const [row] = await ground.sql<{ hub: number; outbox: number }[]>`
    select
      (select count(*)::int from history h join runs r on r.id = h.run_id join streams s on s.id = r.stream_id
        where s.connection = 'mailchimp') as hub,
      (select count(*)::int from outbox o join streams s on s.id = o.stream_id where s.connection = 'mailchimp') as outbox`
  return { hub: row?.hub ?? 0, outbox: row?.outbox ?? 0, requests: ground.told.mailchimp }
}

async function wrote(run: Run, before: Written): Promise<string | null> {
  const now = await written(run)
  const names = ['hub', 'outbox', 'requests'] as const
  const more = names.filter((name) => now[name] !== before[name])
  return more.length === 0 ? null : `nobody approved the new mapping, yet it wrote: ${more.join(', ')}`
}

/** Nothing came in between, so that the plan counted what happened. */
async function asPlanned(run: Run, plan: MadePlan, before: Written): Promise<string | null> {
  const now = await written(run)
  const counts = plan.summary.streams.find(({ stream }) => stream === 'mailchimp/members')?.remote ?? {}
  const foreseen =
    (counts['create'] ?? 0) + (counts['update'] ?? 0) + (counts['consent'] ?? 0) + (counts['archive'] ?? 0)
  const sent = now.outbox - before.outbox
  return sent === foreseen ? null : `plan ${plan.id} foresaw ${foreseen} writes, the sync sent ${sent}`
}
