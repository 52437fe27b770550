import type { Write } from '../../../src/connectors/connector.ts'
import { pass, type Rig } from '../rig.ts'
import { applied, need, short, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { createOf, make, pushOf, send, updateOf } from './writes.ts'

const CONTRACT =
  'docs/connectors.md, "Consent": only a write with op `consent` may change it, and only `in` may loosen it.'

export const CONSENT: readonly Check[] = [
  {
    name: 'a profile update leaves an opt-out as it is',
    contract: CONTRACT,
    per: 'resource',
    async run(rig) {
      const { consent, update } = consentOf(rig)
      const id = await consent.optedOut()
      wantSame(await consent.state(id), 'out', 'The stand should make somebody who opted out')
      await send(rig, await updateOf(rig, id, 'update-1', update.patch(1)))
      wantSame(await consent.state(id), 'out', 'A profile update undid an opt-out')
    },
  },
  {
    name: 'a create never opts anybody in again',
    contract: CONTRACT,
    per: 'resource',
    async run(rig) {
      const { consent } = consentOf(rig)
      const again = need(consent.again, 'a create at this vendor never meets who is there already')
      const id = await consent.optedOut()
      const body = await again(id)
      for (const [n, state] of (['in', 'unknown', 'out'] as const).entries()) {
        const [outcome] = await send(rig, { ...createOf(rig, n, body), consent: state })
        want(
          outcome?.kind === 'applied' || outcome?.kind === 'rejected',
          `The create ends as ${short(outcome)}`,
        )
        wantSame(await consent.state(id), 'out', `A create with consent ${state} undid an opt-out`)
      }
    },
  },
  {
    name: 'nobody is subscribed by a create that does not say so',
    contract: CONTRACT,
    per: 'resource',
    async run(rig) {
      const { consent } = consentOf(rig)
      for (const [n, state] of (['unknown', 'pending', 'out'] as const).entries()) {
        const [outcome] = await send(rig, { ...createOf(rig, 10 + n), consent: state })
        const { id } = applied(outcome, `The create with consent ${state}`)
        want((await consent.state(id)) !== 'in', `A create with consent ${state} subscribed somebody`)
      }
    },
  },
  {
    name: 'an opt-out arrives, and arrives once',
    contract: 'Write.consent: "Tells the vendor an opt-out". Repeated after a crash, it must not fail.',
    per: 'resource',
    async run(rig) {
      const { consent } = consentOf(rig)
      const { id } = await make(rig, 1)
      const write: Write = { op: 'consent', key: 'out-1', id, state: 'out', patch: consent.patch.out }
      applied((await send(rig, write))[0], 'The opt-out')
      wantSame(await consent.state(id), 'out', 'The vendor does not have the opt-out')
      applied((await send(rig, write))[0], 'The opt-out, sent again,')
      wantSame(await consent.state(id), 'out', 'The vendor lost the opt-out')
    },
  },
  {
    name: 'an opt-out holds, whatever else is in its batch',
    contract: CONTRACT,
    per: 'resource',
    async run(rig) {
      const { consent, update } = consentOf(rig)
      for (const [n, order] of (['before', 'after'] as const).entries()) {
        const { id } = await make(rig, 20 + n)
        pass(rig, 2000)
        const out: Write = { op: 'consent', key: `out-${order}`, id, state: 'out', patch: consent.patch.out }
        const profile = await updateOf(rig, id, `update-${order}`, update.patch(1))
        const outcomes = await send(rig, ...(order === 'before' ? [out, profile] : [profile, out]))
        want(
          outcomes.every(({ kind }) => kind === 'applied' || kind === 'stale'),
          `An opt-out ${order} a profile update ends as ${short(outcomes)}`,
        )
        wantSame(await consent.state(id), 'out', `An opt-out ${order} a profile update was lost`)
      }
    },
  },
]

function consentOf(rig: Rig) {
  const { stand } = pushOf(rig)
  const consent = need(rig.at.consent, 'the resource states no consent')
  return { consent, update: need(stand.update, 'what was created cannot be updated') }
}
