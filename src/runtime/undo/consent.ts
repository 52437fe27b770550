import { effectiveConsent, type Statement } from '../../core/consent.ts'
import type { RecordId, Source } from '../../core/model.ts'
import { appendStatements, runOptIns, statementsBeside } from '../../store/consents.ts'
import type { Query } from '../../store/database.ts'
import { holders } from '../../store/identities.ts'
import { loadRecords } from '../../store/records.ts'
import { editChange } from '../change.ts'
import { applyChanges } from '../changes.ts'
import { addressesOf, CHANNEL, consentOf, consentOver } from '../consent.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'

const PAGE = 500

type OptIn = { readonly id: number; readonly address: string; readonly audience: string }

/**
 * The addresses of a page that are opted in because of the run alone. The ledger is append-only, so what takes an
 * opt-in back is an opt-out: nobody may be mailed because of an import that was a mistake. They may opt in again.
 */
async function owing(q: Query, run: number, page: readonly OptIn[]): Promise<readonly OptIn[]> {
  const addresses = [...new Set(page.map(({ address }) => address))]
  const about = Map.groupBy(await statementsBeside(q, CHANNEL, addresses, run), keyOf)
  return page.filter((optIn) => {
    const known = about.get(keyOf(optIn)) ?? []
    const others = known.filter((statement) => !statement.brought)
    return effectiveConsent(known) === 'in' && effectiveConsent(others) !== 'in'
  })
}

const keyOf = (about: Pick<OptIn, 'address' | 'audience'>): string => `${about.audience} ${about.address}`

async function* pages(hub: Hub, run: number): AsyncGenerator<readonly OptIn[]> {
  for (let after = 0; ; ) {
    const page = await runOptIns(hub.db.sql, run, after, PAGE)
    const last = page.at(-1)
    if (last === undefined) return
    after = last.id
    yield page
  }
}

/** How many addresses an undo of the run would opt out. */
export async function peopleOptedIn(hub: Hub, run: number): Promise<number> {
  let count = 0
  for await (const page of pages(hub, run)) {
    const due = await owing(hub.db.sql, run, page)
    count += new Set(due.map(({ address }) => address)).size
  }
  return count
}

/** Opts out whom the run alone opted in. Done twice it does nothing. Returns the connections that have work now. */
export async function optOutAgain(
  hub: Hub,
  run: number,
  undoRun: number,
  by: Source,
): Promise<{ readonly optedOut: number; readonly woken: ReadonlySet<string> }> {
  const woken = new Set<string>()
  let optedOut = 0
  for await (const page of pages(hub, run)) {
    const done = await withRaces(hub, () =>
      hub.session.begin(async (tx) => {
        const due = await owing(tx, run, page)
        if (due.length === 0) return { count: 0, names: new Set<string>() }
        const at = hub.clock.now()
        const said = due.map(
          ({ address, audience }): Statement => ({
            address,
            audience,
            channel: CHANNEL,
            state: 'out',
            at,
            explicit: false,
            source: by,
            reason: `undo of run ${run}`,
          }),
        )
        await appendStatements(tx, said, undoRun)
        const people = await holders(
          tx,
          'contact',
          due.map(({ address }) => ({ kind: 'email' as const, value: address })),
        )
        return {
          count: new Set(due.map(({ address }) => address)).size,
          names: await tellPeople(hub, tx, [...new Set(people.map(({ id }) => id))], { run, undoRun, by }),
        }
      }),
    )
    optedOut += done.count
    for (const name of done.names) woken.add(name)
  }
  return { optedOut, woken }
}

async function tellPeople(
  hub: Hub,
  tx: Query,
  ids: readonly RecordId[],
  { run, undoRun, by }: { readonly run: number; readonly undoRun: number; readonly by: Source },
): Promise<ReadonlySet<string>> {
  const people = [...(await loadRecords(tx, 'contact', ids, 'lock')).values()]
  const states = await consentOver(
    tx,
    people.map((person) => addressesOf(person.fields)),
    [],
  )
  const changes = people.flatMap((person, i) => {
    const state = states[i] ?? 'unknown'
    if (state === consentOf(person.fields)) return []
    const rule = `undo of run ${run}: nobody stays opted in because of it`
    const change = editChange(person, { emailConsent: { value: state, rule } }, by, hub.clock.now())
    return change === null ? [] : [{ ...change, urgent: state === 'out' }]
  })
  return applyChanges(hub, tx, 'contact', changes, undoRun, by, 'always')
}
