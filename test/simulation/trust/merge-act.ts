import { matchWaiting } from '../../../src/runtime/matching/step.ts'
import { mergeRecords, type MergeResult } from '../../../src/runtime/merge/merge.ts'
import { unmergeRecord, type UnmergeResult } from '../../../src/runtime/merge/unmerge.ts'
import type { MergedKind } from '../../../src/core/survivorship.ts'
import { listMerges, membersUnder, type Merge } from '../../../src/store/merges.ts'
import { listItems } from '../../../src/store/inbox.ts'
import { checkAll } from '../properties.ts'
import type { Run, Violation } from '../run.ts'
import { settle } from '../settle.ts'
import { editOne, type MemberEdit } from './edits.ts'
import { differences, inWords, snapshot, type Difference, type Snapshot } from './snapshot.ts'
import { both, insist, storm } from './storm.ts'

const broken = (message: string): Violation => ({ property: 'Merge', message })

/**
 * Some records are merged at random, in bad weather; while they are one, all systems agree and are silent. Then they are
 * taken apart again in any order: what was there is there, with what was edited meanwhile where it belongs.
 */
export async function mergeAndUnmerge(run: Run): Promise<readonly Violation[]> {
  const before = await snapshot(run)
  const known = new Set((await merged(run)).map((merge) => merge.id))
  const ours = async () => (await merged(run)).filter((merge) => !known.has(merge.id))
  const wrong = await mergeSome(run)
  if (wrong.length > 0) return wrong
  const pairs = await ours()
  if (pairs.length === 0) return []
  if (run.chance.maybe(0.7)) await storm(run, 5)
  const restless = [...(await settle(run)), ...(await checkAll(run))]
  if (restless.length > 0) return restless
  const edits: MemberEdit[] = []
  for (let left = run.chance.int(0, 2); left > 0; left--)
    edits.push(...(await editOne(run, await ours(), before, edits)))
  if (edits.length > 0) {
    if (run.chance.maybe(0.7)) await storm(run, 3)
    const unsettled = [...(await settle(run)), ...(await checkAll(run)), ...(await lostEdits(run, edits))]
    if (unsettled.length > 0) return unsettled
  }
  const stuck = await unmergeAll(run, ours)
  if (stuck.length > 0) return stuck
  const after = [...(await settle(run)), ...(await checkAll(run))]
  if (after.length > 0) return after
  const cluster = new Set(
    pairs.flatMap(({ kind, survivor, loser }) => [`${kind} ${survivor}`, `${kind} ${loser}`]),
  )
  return [...gaveBack(before, await snapshot(run), cluster, edits), ...(await staysApart(run, pairs))]
}

export const merged = async ({ ground }: Run): Promise<readonly Merge[]> =>
  (await listMerges(ground.sql, { limit: 1000 })).filter((merge) => merge.state === 'merged')

async function liveIds({ ground }: Run, kind: MergedKind): Promise<readonly number[]> {
  const table = kind === 'contact' ? 'contacts' : 'companies'
  const found = await ground.sql.unsafe<{ id: number }[]>(
    `select id from ${table} where archived_at is null order by id`,
  )
  return found.map(({ id }) => id)
}

async function mergeSome(run: Run): Promise<readonly Violation[]> {
  const { chance } = run
  const kinds: readonly MergedKind[] = chance.maybe(0.3) ? ['contact', 'company'] : ['contact']
  for (const kind of kinds) {
    let roots = chance.shuffled(await liveIds(run, kind)).slice(0, chance.int(2, 5))
    for (let left = chance.int(1, 3); left > 0 && roots.length > 1; left--) {
      const [survivor = 0, loser = 0, third] = chance.shuffled(roots)
      const wrong =
        third !== undefined && chance.maybe(0.25)
          ? await raced(run, kind, loser, [survivor, third])
          : await mergeTwo(run, kind, survivor, loser)
      if (wrong !== null) return [broken(wrong)]
      roots = roots.filter((id) => id !== loser)
      if (chance.maybe(0.4)) await storm(run, 2)
    }
  }
  return []
}

async function mergeTwo(run: Run, kind: MergedKind, survivor: number, loser: number): Promise<string | null> {
  const { chance, ground } = run
  const by = chance.pick(['user:ann', 'api', 'rule:likeness'])
  const request = { kind, survivor, losers: [loser], by, rule: 'the simulation says so' } as const
  const clusters = [await membersUnder(ground.sql, survivor), await membersUnder(ground.sql, loser)] as const
  const apart = await ground.sql<{ a: number }[]>`
    select a from kept_apart where a = any(${[...clusters[0], ...clusters[1]]}) and
      (a = any(${[...clusters[0]]}) and b = any(${[...clusters[1]]}) or a = any(${[...clusters[1]]}) and b = any(${[...clusters[0]]}))`
  const result = await insist(run, `merge ${kind} ${loser} into ${survivor} by ${by}`, (hub) =>
    mergeRecords(hub, request),
  )
  const isDone = (await merged(run)).some((merge) => merge.loser === loser && merge.survivor === survivor)
  const mayNot = by === 'rule:likeness' && apart.length > 0
  if (mayNot === isDone)
    return `${kind}s ${survivor} and ${loser}, by ${by}: ${JSON.stringify(result)}, ${apart.length} of them kept apart`
  return null
}

/** Two people merge the same record into two others at once: one of them is told that it is too late. */
async function raced(
  run: Run,
  kind: MergedKind,
  loser: number,
  into: readonly [number, number],
): Promise<string | null> {
  const task = (survivor: number) => (hub: Parameters<typeof mergeRecords>[0]) =>
    mergeRecords(hub, { kind, survivor, losers: [loser], by: 'user:ann', rule: 'at once' })
  const done: readonly MergeResult[] = await both(run, task(into[0]), task(into[1]))
  const words = done.map(({ kind: said }) => said)
  run.note(`race: ${kind} ${loser} into ${into.join(' and ')}: ${words.join(', ')}`)
  return words.toSorted().join(' ') === 'merged refused'
    ? null
    : `${kind} ${loser} was merged into ${into.join(' and ')} at once: ${words.join(', ')}`
}

/** In any order, two people at once at times. */
export async function unmergeAll(
  run: Run,
  ours: () => Promise<readonly Merge[]>,
): Promise<readonly Violation[]> {
  for (let open = await ours(); open.length > 0; open = await ours()) {
    const { kind, loser } = run.chance.pick(open.toSorted((a, b) => a.id - b.id))
    const task = (hub: Parameters<typeof unmergeRecord>[0]): Promise<UnmergeResult> =>
      unmergeRecord(hub, { kind, loser, by: 'user:bob' })
    if (run.chance.maybe(0.2)) {
      const words = (await both(run, task, task)).map((result) => result.kind)
      run.note(`race: unmerge ${kind} ${loser}: ${words.join(', ')}`)
      if (words.toSorted().join(' ') !== 'refused unmerged')
        return [broken(`${kind} ${loser} was unmerged twice at once: ${words.join(', ')}`)]
    } else {
      const result = await insist(run, `unmerge ${kind} ${loser}`, task)
      if ((await ours()).some((merge) => merge.loser === loser))
        return [broken(`${kind} ${loser} cannot be unmerged: ${JSON.stringify(result)}`)]
    }
    if (run.chance.maybe(0.5)) await storm(run, 3)
  }
  return []
}

/** An edit of one object stands for the merged record. */
async function lostEdits({ ground }: Run, edits: readonly MemberEdit[]): Promise<readonly Violation[]> {
  const found: Violation[] = []
  for (const { root, value, told } of edits) {
    const [row] = await ground.sql<
      { title: string | null }[]
    >`select job_title as title from contacts where id = ${root}`
    if (row?.title !== value)
      found.push(broken(`merged contact ${root} has the title ${row?.title}, but ${told}`))
  }
  return found
}

/** Where a vendor was told an opt-out because of the merge, it keeps it. */
const isConsent = (place: string): boolean => / (status|email_opt_out|unsubscribed|emailConsent)$/.test(place)

function gaveBack(
  before: Snapshot,
  after: Snapshot,
  cluster: ReadonlySet<string>,
  edits: readonly MemberEdit[],
): readonly Violation[] {
  const concerned = (prefix: string, members: ReadonlySet<string>) =>
    [...before].some(([place, record]) => {
      const [, ref, id] = /^link (\w+)\/\w+ (\S+)$/.exec(place) ?? []
      const isSame =
        ref === 'csv' ? prefix.startsWith('csv ') && prefix.endsWith(` ${id}`) : prefix === `${ref} ${id}`
      return isSame && members.has(`contact ${record.split(' ')[0]}`)
    })
  const isExcused = ({ place, was, is }: Difference): boolean => {
    const words = place.split(' ')
    const prefix = words.slice(0, place.startsWith('csv ') ? 3 : 2).join(' ')
    const loosens = /"(subscribed|false)"/.test(is) || (is === 'nothing' && was !== 'nothing')
    if (isConsent(place) && !place.startsWith('contact ') && concerned(prefix, cluster)) return !loosens
    return edits.some(({ members, attributes, value, holds }) => {
      if (words[0] === 'contact') {
        const isTitle = /^contact \d+ jobTitle( says)?$/.test(place) && members.has(`contact ${words[1]}`)
        return isTitle && (place.endsWith('says') || is === JSON.stringify(value)) && holds(Number(words[1]))
      }
      return attributes.some((name) => place.endsWith(` ${name}`)) && concerned(prefix, members)
    })
  }
  const left = differences(before, after).filter((difference) => !isExcused(difference))
  const unheard = edits.flatMap(({ members, value, told }) => {
    const owners = [...members].filter((member) => after.get(`${member} jobTitle`) === JSON.stringify(value))
    return owners.length === 1
      ? []
      : [broken(`${told}, and ${owners.length} of ${[...members].join(', ')} say so after all`)]
  })
  return [...left.map((difference) => broken(`merged and unmerged: ${inWords(difference)}`)), ...unheard]
}

/** Nobody is asked about the two again, and no rule makes them one. */
async function staysApart(run: Run, pairs: readonly Merge[]): Promise<readonly Violation[]> {
  await run.work('compare', (hub) => matchWaiting(hub))
  const open = await listItems(run.ground.sql, { state: 'open', kind: 'duplicate', limit: 1000 })
  const asked = new Set(open.map((item) => item.key))
  const found: Violation[] = []
  for (const { kind, survivor, loser } of pairs) {
    const key = `duplicate:${Math.min(survivor, loser)}:${Math.max(survivor, loser)}`
    if (asked.has(key)) found.push(broken(`somebody is asked about ${kind}s ${survivor} and ${loser} again`))
    const request = { kind, survivor, losers: [loser], by: 'rule:likeness', rule: 'again' } as const
    const again = await run.work('merge again', (hub) => mergeRecords(hub, request))
    if (again !== 'died' && again.kind !== 'refused')
      found.push(broken(`${kind}s ${survivor} and ${loser} are kept apart, and a rule merged them again`))
  }
  return found
}
