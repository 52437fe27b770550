import { list } from '../rig.ts'
import { applied, need, present, short, valueAt, want, wantFix, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { createOf, make, pushOf, seeNow, send } from './writes.ts'

const ODD: readonly string[] = [
  'Zoë Ångström-Łukasz',
  '山田 太郎 🦊👩‍👩‍👧',
  'مرحبا \u202e right to left',
  'e\u0301 and \u00e9',
  'a NUL \u0000 inside',
  'half a fox \ud83e',
  '"quotes", commas; and\nline\r\nbreaks\ttabs',
  '=HYPERLINK("http://x.example")',
  '<b>bold</b> &amp; %41 + {{x}}',
]
const TEN_MB = 10 * 1024 * 1024

export const TEXT: readonly Check[] = [
  {
    name: 'odd text arrives as it is, or is refused by the name of its field',
    contract:
      'Outcome applied: the observation must say what the vendor made of the text, or the hub thinks it agrees.',
    per: 'resource',
    async run(rig) {
      const { stand } = pushOf(rig)
      const text = need(stand.text, 'no field takes free text')
      for (const [n, value] of ODD.entries()) {
        const what = `A create with ${short(value)}`
        const [outcome] = await send(rig, createOf(rig, n, text.body(n, value)))
        if (outcome?.kind === 'rejected') {
          wantSame(outcome.field, text.path, `${what} was refused; the refusal should name the field`)
          continue
        }
        const answered = present(applied(outcome, what), what)
        const now = await seeNow(rig, answered.id)
        wantSame(now, answered, `${what} reads differently from what the create answered`)
        const expected = (text.reads ?? ((plain: string) => plain))(value).toWellFormed()
        wantSame(valueAt(now.body, text.path), expected, `${what} was changed on the way`)
      }
    },
  },
  {
    name: '10 MB in a field are written whole or refused, and stop nothing after them',
    contract: 'docs/connectors.md, "One bad object": it is refused or reported alone, and stops nothing.',
    per: 'resource',
    async run(rig) {
      const { stand } = pushOf(rig)
      const text = need(stand.text, 'no field takes free text')
      const huge = 'x'.repeat(TEN_MB)
      const [outcome, beside] = await send(rig, createOf(rig, 1, text.body(1, huge)), createOf(rig, 2))
      if (outcome?.kind === 'rejected') {
        wantSame(outcome.field, text.path, 'The refusal of 10 MB should name the field')
        wantFix(outcome.message, 'The refusal of 10 MB')
        want(outcome.message.length < 2000, 'The refusal of 10 MB quotes them')
      } else {
        const { id } = applied(outcome, 'A create with 10 MB')
        const value = valueAt((await seeNow(rig, id)).body, text.path)
        want(value === huge, `10 MB were written, but read as ${short(value)}`)
      }
      applied(beside, 'The create beside the one with 10 MB')
      await make(rig, 3)
      await list(rig)
    },
  },
  {
    name: '10 MB in a field at the vendor are read, or reported with their id, and the others are read',
    contract:
      'Page.bad: "A row or object that cannot be an observation at all", with its id, so that it is not gone.',
    per: 'resource',
    async run(rig) {
      const plant = need(rig.at.plant, 'the stand cannot make a single object')
      const ids = await rig.at.seed(3)
      const huge = await plant('x'.repeat(TEN_MB))
      const listing = await list(rig)
      wantSame(
        ids.filter((id) => !listing.seen.has(id)),
        [],
        'Beside an object with 10 MB others are not read',
      )
      const bad = listing.bad.find(({ id }) => id === huge)
      want(listing.seen.has(huge) || bad !== undefined, 'An object with 10 MB is neither read nor reported')
      if (bad !== undefined)
        want(bad.raw.length <= 10_000, `The report of a bad row quotes ${bad.raw.length} characters`)
      if (bad !== undefined && bad.id === null)
        wantSame(listing.complete, false, 'A bad row without id, yet complete')
    },
  },
]
