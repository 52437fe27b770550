import { syncAll } from '../../../src/runtime/cycle.ts'
import { approvePlan } from '../../../src/runtime/plan/decide.ts'
import { makePlan } from '../../../src/runtime/plan/make.ts'
import { authorise } from '../hub-steps.ts'
import type { Run, Violation } from '../run.ts'
import { configured } from './approval-act.ts'
import { storm } from './storm.ts'

const broken = (message: string): Violation => ({ property: 'Approval', message })

/**
 * A hub that is new and asks: whatever it does, it writes nothing to itself nor to anybody else, plans included, until
 * its plan was approved, connection by connection or all at once. Nobody is asked from there on.
 */
export async function firstStart(run: Run): Promise<readonly Violation[]> {
  const { chance, ground } = run
  // Its webhook was asked for by hand.
  const told = ground.told.mailchimp
  await storm(run, 6)
  const early = await wrote(run, new Set(), told)
  if (early !== null) return [broken(early)]
  ground.weather.clear()
  await authorise(run)
  const names = chance.shuffled(ground.names)
  const steps = chance.maybe(0.5) ? [names] : names.map((name) => [name])
  const approved = new Set<string>()
  for (const some of steps) {
    const plan = await run.work(`plan ${some.join(', ')}`, (hub) => makePlan(hub, some, 'user:ann'))
    const planned = await wrote(run, approved, told)
    if (planned !== null) return [broken(`planning: ${planned}`)]
    if (plan === 'died') throw new Error('nobody was to die any more')
    const answer = await run.work('approve', (hub) => approvePlan(hub, plan.id, 'user:ann'))
    if (answer !== 'died' && answer.kind === 'refused') return [broken(`plan ${plan.id}: ${answer.message}`)]
    for (const name of some) approved.add(name)
    await run.work('first sync', (hub) => syncAll(hub, ground.names, 'changes'))
    const more = await wrote(run, approved, told)
    if (more !== null) return [broken(more)]
  }
  await configured(run, false, ground.rules.mapping)
  return []
}

/** What came about by connections that nobody approved. */
async function wrote({ ground }: Run, approved: ReadonlySet<string>, before: number): Promise<string | null> {
  const found = await ground.sql<{ what: string; n: number }[]>`
    select 'history rows of ' || s.connection as what, count(*)::int as n from history h
      join runs r on r.id = h.run_id join streams s on s.id = r.stream_id
      where s.connection <> all(${[...approved]}) group by 1
    union all
    select 'writes to ' || s.connection, count(*)::int from outbox o join streams s on s.id = o.stream_id
      where s.connection <> all(${[...approved]}) group by 1
    union all
    select 'links of ' || s.connection, count(*)::int from links l join streams s on s.id = l.stream_id
      where s.connection <> all(${[...approved]}) and l.remote_id is not null group by 1`
  const told = approved.has('mailchimp') ? 0 : ground.told.mailchimp - before
  const all = [...found, ...(told > 0 ? [{ what: 'requests that change Mailchimp', n: told }] : [])]
  return all.length === 0
    ? null
    : `nobody approved it, yet there are ${all.map(({ what, n }) => `${n} ${what}`).join(', ')}`
}
