import type { Outcome } from '../../../src/connectors/connector.ts'
import { list, pass, type Rig } from '../rig.ts'
import { applied, need, short, want, wantFix, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { createOf, make, pushOf, seeNow, send, updateOf } from './writes.ts'

export const WRITING: readonly Check[] = [
  {
    name: 'a create makes one object, and answers it as a later read shows it',
    contract:
      'Outcome applied: "observation" becomes the base; what it lacks is planned as an edit at the vendor.',
    per: 'resource',
    async run(rig) {
      const before = await rig.at.count()
      const made = await make(rig, 1)
      wantSame((await rig.at.count()) - before, 1, 'A create should make one object')
      wantSame(
        await seeNow(rig, made.id),
        made,
        'A read after the create differs from what the create answered',
      )
    },
  },
  {
    name: 'a create sent twice with its key makes one object, also by another process',
    contract: 'CreateWrite.key: "Repeated attempts use it again".',
    per: 'resource',
    async run(rig) {
      const before = await rig.at.count()
      const first = await make(rig, 1)
      const again = await make(rig, 1)
      const later = await make(rig.restarted(), 1)
      wantSame([again.id, later.id], [first.id, first.id], 'A repeated create answers another object')
      wantSame((await rig.at.count()) - before, 1, 'A repeated create should make nothing more')
    },
  },
  {
    name: 'creates are found again by what they were for, and only those',
    contract: 'Push.find: "the objects they made, null where they made none. In their order."',
    per: 'resource',
    async run(rig) {
      const { push } = pushOf(rig)
      const [one, two] = [await make(rig, 1), await make(rig, 2)]
      const asked = [createOf(rig, 2), createOf(rig, 3), createOf(rig, 1)]
      const found = await push.find(rig.io, asked)
      wantSame(
        found.map((seen) => seen?.id ?? null),
        [two.id, null, one.id],
        'find should answer the second, nothing and the first',
      )
      wantSame(await push.find(rig.io, []), [], 'Finding nothing should give nothing')
    },
  },
  {
    name: 'outcomes come in the order of the writes',
    contract: 'Push.send: "One outcome per write, in their order."',
    per: 'resource',
    async run(rig) {
      const { push } = pushOf(rig)
      const count = Math.min(push.batchMax, 70)
      const creates = Array.from({ length: count }, (_, i) => createOf(rig, 100 + i))
      const outcomes = await send(rig, ...creates)
      const ids = outcomes.map((outcome, i) => applied(outcome, `Create ${i + 1} of ${count}`).id)
      wantSame(new Set(ids).size, count, `${count} creates should make as many objects`)
      const found = await push.find(rig.io, creates)
      wantSame(
        ids,
        found.map((seen) => seen?.id),
        'The outcomes of a batch belong to other writes',
      )
    },
  },
  {
    name: 'outcomes of a mixed batch belong to their writes',
    contract: 'Push.send: "One outcome per write, in their order."',
    per: 'resource',
    async run(rig) {
      const { stand } = pushOf(rig)
      const update = need(stand.update, 'what was created cannot be updated')
      const { id: a } = await make(rig, 1)
      const { id: b } = await make(rig, 2)
      const mixed = await send(
        rig,
        await updateOf(rig, b, 'mixed-1', update.patch(1)),
        createOf(rig, 500),
        await updateOf(rig, a, 'mixed-2', update.patch(2)),
      )
      const seen = mixed.map((outcome, i) => applied(outcome, `Write ${i + 1} of a mixed batch`).id)
      wantSame([seen[0], seen[2]], [b, a], 'The outcomes of a mixed batch belong to other writes')
    },
  },
  {
    name: 'one bad write in a batch fails alone, by the name of the field',
    contract:
      'Outcome rejected: "field" and "message" are what a person sees in the inbox; the others go through.',
    per: 'resource',
    async run(rig) {
      const { stand } = pushOf(rig)
      const bad = need(stand.bad, 'there is no body that is refused')
      const before = await rig.at.count()
      const writes = [createOf(rig, 1), createOf(rig, 2, bad.body), createOf(rig, 3)]
      const [first, refused, third] = await send(rig, ...writes)
      applied(first, 'The write before the bad one')
      applied(third, 'The write after the bad one')
      wantRejected(refused, bad.field)
      wantSame(
        (await rig.at.count()) - before,
        2,
        'Two good creates beside a bad one should make two objects',
      )
    },
  },
  {
    name: 'a bad write does not turn a whole large batch bad',
    contract:
      'Push.batchMax: "The most writes one send takes"; a batch endpoint answers each operation by itself.',
    per: 'resource',
    async run(rig) {
      const { push, stand } = pushOf(rig)
      const bad = need(stand.bad, 'there is no body that is refused')
      const count = Math.min(push.batchMax, 70)
      const writes = Array.from({ length: count }, (_, i) =>
        i % 10 === 4 ? createOf(rig, i, bad.body) : createOf(rig, i),
      )
      const outcomes = await send(rig, ...writes)
      for (const [i, outcome] of outcomes.entries()) {
        if (i % 10 === 4) wantRejected(outcome, bad.field)
        else applied(outcome, `Create ${i + 1} of ${count}, which is good,`)
      }
    },
  },
  {
    name: 'our own write, pulled again, is what the write answered',
    contract:
      'Outcome applied and Resource.pull must tell the same, or every write comes back as an edit (an echo).',
    per: 'resource',
    async run(rig) {
      await rig.at.seed(2)
      const { cursor } = await list(rig)
      pass(rig, 5000)
      const made = await make(rig, 1)
      pass(rig, 5000)
      await wantSilent(rig, (await list(rig, cursor)).seen.get(made.id) ?? null, made)
    },
  },
]

async function wantSilent(rig: Rig, pulled: unknown, made: { readonly id: string }): Promise<void> {
  // A vendor whose listing shows our objects only once it has taken them over (an export) shows nothing yet.
  if (pulled === null) return wantSame(await seeNow(rig, made.id), made, 'fetch of our own create')
  wantSame(pulled, made, 'A pull after our own create differs from what the create answered')
}

export function wantRejected(outcome: Outcome | undefined, field: string): void {
  want(outcome?.kind === 'rejected', `A bad write should be rejected, but the outcome is ${short(outcome)}`)
  wantSame(outcome.field, field, `The rejection ("${outcome.message}") should name the field`)
  want(outcome.code !== '', 'A rejection needs a code')
  wantFix(outcome.message, 'A rejected write')
}
