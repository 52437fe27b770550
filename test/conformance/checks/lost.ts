import type { Outcome } from '../../../src/connectors/connector.ts'
import type { Fault, FaultSwitch } from '../../../src/sandbox/faults.ts'
import { pass, type Rig } from '../rig.ts'
import { applied, need, short, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { createOf, pushOf, seeNow, send, updateOf } from './writes.ts'

/** What may happen to the answer of a write, and what an outcome may then say. */
const ACCIDENTS: readonly {
  readonly fault: Fault
  readonly name: string
  readonly may: readonly Outcome['kind'][]
}[] = [
  { name: 'the answer is lost', fault: { kind: 'timeout-after-commit' }, may: ['uncertain'] },
  { name: 'a 500 after the commit', fault: { kind: 'after-commit', status: 500 }, may: ['uncertain'] },
  { name: 'a 502 after the commit', fault: { kind: 'after-commit', status: 502 }, may: ['uncertain'] },
  { name: 'the answer is cut short', fault: { kind: 'truncated' }, may: ['uncertain'] },
  { name: 'no answer, nothing done', fault: { kind: 'timeout-before' }, may: ['uncertain', 'retry'] },
  { name: 'a page of HTML instead', fault: { kind: 'html' }, may: ['uncertain', 'retry'] },
  { name: 'a 503, nothing done', fault: { kind: 'status', status: 503 }, may: ['uncertain', 'retry'] },
]
const STEPS_MAX = 20

export const LOST: readonly Check[] = [
  ...ACCIDENTS.map(
    ({ name, fault, may }): Check => ({
      name: `a create of which ${name} is ${may.join(' or ')}, and ends as one object`,
      contract:
        'Outcome uncertain: "The call may have happened: look it up, never resend blindly". Rejected would make a ' +
        'person deal with an object that is there; retry would make a second one.',
      per: 'resource',
      async run(rig) {
        const faults = faultsOf(rig)
        const before = await rig.at.count()
        const write = createOf(rig, 1)
        faults.plan = ({ method }) => (method === 'GET' ? null : fault)
        const [outcome] = await send(rig, write)
        faults.plan = null
        want((faults.fired.get(fault.kind) ?? 0) > 0, 'The create sent no request but GETs')
        want(
          outcome !== undefined && may.includes(outcome.kind),
          `The outcome is ${short(outcome)}, not ${may.join(' or ')}`,
        )
        await settle(rig, before)
      },
    }),
  ),
  {
    name: 'a create cut off at each of its steps goes on from there and ends as one object',
    contract: 'CreateWrite.key: the same key at every attempt, and find before it: at most one object.',
    per: 'resource',
    async run(rig) {
      const faults = faultsOf(rig)
      for (let step = 1; step <= STEPS_MAX; step++) {
        const before = await rig.at.count()
        let requests = 0
        faults.plan = () => (++requests < step ? null : { kind: 'timeout-after-commit' })
        const [outcome] = await send(rig, createOf(rig, step))
        faults.plan = null
        if (requests < step) return
        const kind = outcome?.kind
        want(
          kind === 'uncertain' || kind === 'retry' || kind === 'applied',
          `Cut off at request ${step}, a create ends as ${short(outcome)}: only uncertain, retry or applied can be known`,
        )
        await settle(rig, before, step)
      }
    },
  },
  {
    name: 'an update whose answer is lost is uncertain, and sent again it is done once',
    contract: 'Outcome uncertain: of an update, the hub observes the object again and plans anew.',
    per: 'resource',
    async run(rig) {
      const faults = faultsOf(rig)
      const { stand } = pushOf(rig)
      const update = need(stand.update, 'what was created cannot be updated')
      const [made] = await send(rig, createOf(rig, 1))
      const { id } = applied(made, 'The create')
      const write = await updateOf(rig, id, 'update-1', update.patch(1))
      faults.plan = ({ method }) => (method === 'GET' ? null : { kind: 'timeout-after-commit' })
      const [outcome] = await send(rig, write)
      faults.plan = null
      wantSame(outcome?.kind, 'uncertain', `The outcome is ${short(outcome)}`)
      const [again] = await send(rig, await updateOf(rig, id, 'update-1', update.patch(1)))
      wantSame(await seeNow(rig, id), applied(again, 'The update, sent again,'), 'The update sent again')
    },
  },
  {
    name: 'one lost answer in a batch leaves the other outcomes certain',
    contract: 'Push.send: one outcome per write; a failure that concerns one write is that write’s outcome.',
    per: 'resource',
    async run(rig) {
      const faults = faultsOf(rig)
      const { push } = pushOf(rig)
      if (push.batchMax < 3) need(null, 'the resource writes one by one')
      const before = await rig.at.count()
      const writes = [createOf(rig, 1), createOf(rig, 2), createOf(rig, 3)]
      let posts = 0
      faults.plan = ({ method }) =>
        method === 'GET' || ++posts !== 2 ? null : { kind: 'after-commit', status: 500 }
      const outcomes = await send(rig, ...writes)
      faults.plan = null
      const unsure = outcomes.filter(({ kind }) => kind !== 'applied')
      want(
        unsure.length <= 1 && unsure.every(({ kind }) => kind === 'uncertain'),
        `One lost answer should leave one write uncertain at most, not ${short(outcomes.map(({ kind }) => kind))}`,
      )
      const found = await push.find(rig.io, writes)
      for (const [i, seen] of found.entries())
        if (seen === null)
          applied((await send(rig, writes[i] ?? createOf(rig, i)))[0], 'The create, sent again,')
      wantSame(
        (await rig.at.count()) - before,
        3,
        'Three creates, one of them repeated, should make three objects',
      )
    },
  },
]

export function faultsOf(rig: Rig): FaultSwitch {
  pushOf(rig)
  return need(rig.stand.faults, 'the vendor has no switch for faults')
}

/** As the hub does it: look the create up; where it made nothing, send it again; then all is as it should be. */
export async function settle(rig: Rig, before: number, n = 1): Promise<void> {
  const { push } = pushOf(rig)
  const write = createOf(rig, n)
  pass(rig, 10_000)
  const [found] = await push.find(rig.io, [write])
  const [again] = await send(rig, write)
  const now = applied(again, `The create ${write.key}, sent again with its key,`)
  if (found !== null && found !== undefined)
    wantSame(now.id, found.id, 'Sent again, the create answers another object than find had found')
  const [later] = await push.find(rig.io, [write])
  wantSame(later?.id, now.id, 'find does not find what the create made')
  wantSame((await rig.at.count()) - before, 1, 'After all, there should be one object')
}
