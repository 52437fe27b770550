import { editRecord } from '../../../src/runtime/edit.ts'
import { survivorsOf, type Merge } from '../../../src/store/merges.ts'
import { exportRows } from '../hub-steps.ts'
import type { Run } from '../run.ts'
import type { Snapshot } from './snapshot.ts'

/** An edit of a merged person, through one of its objects or in the hub. */
export type MemberEdit = {
  readonly root: number
  readonly members: ReadonlySet<string>
  readonly value: string
  readonly told: string
  /** Where the title stands at each system. */
  readonly attributes: readonly string[]
  /** Whether it may belong to this member. */
  holds(member: number): boolean
}

const ATTRIBUTES = ['JOBTITLE', 'job_title'] as const

/** Changes one job title at one place. */
export async function editOne(
  run: Run,
  merges: readonly Merge[],
  before: Snapshot,
  earlier: readonly MemberEdit[],
): Promise<readonly MemberEdit[]> {
  const { ground, chance, oracle } = run
  const people = merges.filter(({ kind }) => kind === 'contact')
  const where = await survivorsOf(
    ground.sql,
    people.map(({ loser }) => loser),
  )
  const clusters = Map.groupBy([...where], ([, root]) => root)
  const roots = [...clusters.keys()]
    .filter((id) => !earlier.some(({ root }) => root === id))
    .toSorted((a, b) => a - b)
  if (roots.length === 0) return []
  const root = chance.pick(roots)
  const ids = [root, ...(clusters.get(root) ?? []).map(([id]) => id)]
  const members = new Set(ids.map((id) => `contact ${id}`))
  const homes = [...before].flatMap(([place, record]) => {
    const [, connection, id] =
      /^link (csv|mailchimp|stripe)\/(?:contacts|members|customers) (\S+)$/.exec(place) ?? []
    const [home = '', state] = record.split(' ')
    return connection !== undefined &&
      id !== undefined &&
      state === 'linked' &&
      members.has(`contact ${home}`)
      ? [{ connection, id, home: Number(home) }]
      : []
  })
  const value = oracle.fresh('Title')
  const said = { root, members, value, attributes: ATTRIBUTES }
  if (homes.length === 0 || chance.maybe(0.25)) {
    await run.work('edit', (hub) => editRecord(hub, 'contact', root, { jobTitle: value }, 'user:ann'))
    const told = `contact ${root} jobTitle = ${value} in the hub`
    run.note(told)
    return [{ ...said, told, holds: () => true }]
  }
  const { connection, id, home } = chance.pick(homes)
  if (!titled(run, connection, id, value)) return []
  const told = `${connection} ${id} (of contact ${home}) jobTitle = ${value}`
  run.note(told)
  return [{ ...said, told, holds: (member) => member === home }]
}

/** Somebody gives an object another job title. False: there is none to edit. */
export function titled(run: Run, connection: string, id: string, title: string): boolean {
  const { ground } = run
  if (connection === 'csv') {
    if (!ground.source.rows.contacts.has(id)) return false
    ground.source.put('contacts', id, { job_title: title })
    void exportRows(run)
    return true
  }
  if (connection === 'stripe') {
    if (!ground.stripe.admin.customers().some((one) => one.id === id)) return false
    ground.stripe.admin.editCustomer(id, { metadata: { job_title: title } })
    return true
  }
  const member = ground.mailchimp.admin.members().find(({ contactId }) => contactId === id)
  if (member === undefined || member.status === 'archived' || member.status === 'cleaned') return false
  ground.mailchimp.admin.editProfile(member.email, { JOBTITLE: title })
  return true
}
