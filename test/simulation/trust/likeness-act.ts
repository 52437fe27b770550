import { perform } from '../../../src/runtime/inbox/perform.ts'
import type { ActionName } from '../../../src/runtime/inbox/kinds.ts'
import { listItems, type InboxItem } from '../../../src/store/inbox.ts'
import { exportRows } from '../hub-steps.ts'
import { ALL } from '../ground.ts'
import { appear } from '../people.ts'
import { checkAll } from '../properties.ts'
import { rested } from '../rested.ts'
import type { Run, Violation } from '../run.ts'
import { settle } from '../settle.ts'
import { merged, unmergeAll } from './merge-act.ts'
import { both, insist, storm } from './storm.ts'

const broken = (message: string): Violation => ({ property: 'Likeness', message })
const GIVEN = ['Philippa', 'Bartholomew', 'Rosalind', 'Thaddeus'] as const
const SYLLABLES = ['ba', 'ke', 'li', 'mo', 'nu', 'pa', 're', 'si', 'to', 'vu'] as const

/**
 * Some people turn up at two systems under two addresses. Where likeness alone may not merge, a person is asked about
 * each pair once, and answers as they like, two of them at once at times; where it may, they become one and are taken
 * apart again by a person. Nobody is asked about them after that.
 */
export async function tellTheAlike(run: Run): Promise<readonly Violation[]> {
  const { chance } = run
  const known = new Set((await merged(run)).map((merge) => merge.id))
  const ours = async () => (await merged(run)).filter((merge) => !known.has(merge.id))
  await thresholds(run, chance.maybe(0.4) ? 0.95 : null)
  const pairs: (readonly [string, string])[] = []
  for (let left = chance.int(1, 3); left > 0; left--) {
    pairs.push(await turnUpTwice(run))
    if (chance.maybe(0.4)) await storm(run, 3)
  }
  const restless = [...(await settle(run)), ...(await checkAll(run)), ...(await unheard(run, pairs))]
  if (restless.length > 0) return restless
  await rested(run)
  for (const item of await questions(run)) {
    const wrong = await answer(run, item)
    if (wrong !== null) return [broken(wrong)]
    if (chance.maybe(0.4)) await storm(run, 2)
  }
  const after = [...(await settle(run)), ...(await checkAll(run))]
  if (after.length > 0) return after
  const stuck = await unmergeAll(run, ours)
  if (stuck.length > 0) return stuck
  await thresholds(run, null)
  return [...(await settle(run)), ...(await checkAll(run))]
}

async function thresholds(run: Run, link: number | null): Promise<void> {
  if (run.ground.rules.link === link) return
  run.ground.rules.link = link
  // Nobody asks here: what works is taken as approved again.
  await run.ground.sql`update streams set approved_shape = null`
  run.note(`the hub is started again: merges by likeness ${link === null ? 'never' : `from ${link} on`}`)
  await run.replace(run.process)
}

/** With a surname that nobody else has. Returns the two addresses. */
async function turnUpTwice(run: Run): Promise<readonly [string, string]> {
  const { chance, oracle, addresses } = run
  const number = oracle.fresh('')
  const family = `T${Array.from(number, (digit) => SYLLABLES[Number(digit)]).join('')}nor`
  const given = chance.pick(GIVEN)
  const company = `${family} Works`
  const name = `${given}${family}`.toLowerCase()
  const both = [`${name}@example.com`, `${name}@example.org`] as const
  const [first, second] = chance.shuffled(ALL)
  for (const [place, address] of [
    [first, both[0]],
    [second, both[1]],
  ] as const) {
    addresses.known.push(address)
    appear(run, place ?? 'csv', address, { given, family, company })
  }
  run.note(`${given} ${family} turns up at ${first} and ${second}`)
  await exportRows(run)
  return both
}

/** The ids of the records that have these addresses now. */
async function holders({ ground }: Run, pair: readonly string[]): Promise<readonly number[]> {
  const found = await ground.sql<{ id: number }[]>`
    select id from contacts where archived_at is null and emails && ${[...pair]} order by id`
  return found.map(({ id }) => id)
}

/** Each pair is one record by now, or asked about. */
async function unheard(
  run: Run,
  pairs: readonly (readonly [string, string])[],
): Promise<readonly Violation[]> {
  const found: Violation[] = []
  const asked = new Set((await questions(run)).map((item) => item.key))
  for (const pair of pairs) {
    const ids = await holders(run, pair)
    const isOne = ids.length === 1
    if (isOne !== (run.ground.rules.link !== null) || (!isOne && !asked.has(`duplicate:${ids.join(':')}`)))
      found.push(
        broken(
          `${pair.join(' and ')} are contacts ${ids.join(', ')}; merges by likeness from ${run.ground.rules.link} on; asked: ${[...asked].join(', ')}`,
        ),
      )
  }
  return found
}

const questions = async ({ ground }: Run): Promise<readonly InboxItem[]> =>
  (await listItems(ground.sql, { state: 'open', kind: 'duplicate', limit: 1000 })).filter(
    ({ detail }) => detail['kind'] === 'contact' && typeof detail['probability'] === 'number',
  )

const ANSWERS = ['merge', 'keep-apart'] as const satisfies readonly ActionName[]

async function answer(run: Run, { id, key }: InboxItem): Promise<string | null> {
  const { chance, ground } = run
  const by = (action: ActionName) => (hub: Parameters<typeof perform>[0]) =>
    perform(hub, id, action, {}, 'user:ann')
  const isOpen = async () =>
    (await listItems(ground.sql, { state: 'open', limit: 1000 })).some((i) => i.id === id)
  // An earlier answer may have settled this one, too.
  if (!(await isOpen()) || chance.maybe(0.2)) return null
  const action = chance.pick(ANSWERS)
  if (chance.maybe(0.3)) {
    const other = chance.pick(ANSWERS)
    const words = (await both(run, by(action), by(other))).map((result) => result.kind)
    run.note(`race: ${action} and ${other} of ${key}: ${words.join(', ')}`)
    return words.toSorted().join(' ') === 'done refused'
      ? null
      : `${action} and ${other} of ${key}: ${words.join(', ')}`
  }
  const result = await insist(run, `${action} ${key}`, by(action))
  return (await isOpen()) ? `${key} is open after ${action}: ${JSON.stringify(result)}` : null
}
