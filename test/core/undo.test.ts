import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isList, same, type Json, type JsonObject } from '../../src/core/json.ts'
import type { HubRecord, Provenance } from '../../src/core/model.ts'
import { undoRecord, type PastChange } from '../../src/core/undo.ts'

/** A record with its history, as the hub would write both. */
type Told = { readonly record: HubRecord; readonly rows: readonly PastChange[] }

const BORN: Provenance = { source: 'user:ann', at: 1, rule: 'created' }
const start = (fields: JsonObject): Told => ({
  record: { id: 7, kind: 'contact', version: 1, fields, provenance: { '*': BORN }, archived: false },
  rows: [{ op: 'create', version: 1, at: 1, source: 'user:ann', run: 1, undoes: null, changes: fields }],
})

type Step = {
  readonly run: number
  readonly source: string
  readonly undoes?: number
  readonly set?: { readonly [field: string]: Json }
  readonly says?: Readonly<Record<string, Provenance | null>>
  readonly archived?: boolean | undefined
}

function change({ record, rows }: Told, step: Step): Told {
  const version = record.version + 1
  const at = version
  const provenance: Record<string, Provenance> = { ...record.provenance }
  const changes: Record<string, JsonObject> = {}
  for (const [field, after] of Object.entries(step.set ?? {})) {
    const before = record.fields[field] ?? null
    const was = record.provenance[field]
    if (same(before, after) && (was ?? BORN).source === step.source) continue
    const given = step.says === undefined ? { source: step.source, at, rule: 'edit' } : step.says[field]
    provenance[field] = given ?? BORN
    if (same(before, after)) continue
    changes[field] = {
      before,
      after,
      rule: 'edit',
      ...(was === undefined ? {} : { was: { ...was } }),
      ...(provenance[field].source === step.source ? {} : { says: provenance[field].source }),
    }
  }
  const archived = step.archived ?? record.archived
  const op = archived === record.archived ? 'update' : archived ? 'archive' : 'restore'
  if (op === 'update' && Object.keys(changes).length === 0) return { record, rows }
  return {
    record: { ...record, version, fields: { ...record.fields, ...step.set }, provenance, archived },
    rows: [
      ...rows,
      { op, version, at, source: step.source, run: step.run, undoes: step.undoes ?? null, changes },
    ],
  }
}

function undo(told: Told, run: number, as: number, source = 'user:mara'): Told {
  const { fields, archived } = undoRecord(told.record, told.rows, run)
  return change(told, {
    run: as,
    source,
    undoes: run,
    set: Object.fromEntries(Object.entries(fields).map(([field, { value }]) => [field, value])),
    says: Object.fromEntries(Object.entries(fields).map(([field, { says }]) => [field, says])),
    ...(archived === null ? {} : { archived }),
  })
}

const ADA = { givenName: 'Ada', jobTitle: 'Analyst', emails: ['ada@example.com'], tags: null }
const BAD = 12

describe('a value goes back', () => {
  test('to what it was, and to whom it belonged', () => {
    const edited = change(start(ADA), { run: 5, source: 'user:bo', set: { jobTitle: 'Countess' } })
    const bad = change(edited, { run: BAD, source: 'csv', set: { jobTitle: 'x', givenName: null } })
    const { fields } = undoRecord(bad.record, bad.rows, BAD)
    expect(fields).toEqual({
      jobTitle: { value: 'Countess', says: { source: 'user:bo', at: 2, rule: 'edit' }, left: 'x' },
      givenName: { value: 'Ada', says: null, left: null },
    })
  })

  test('over several changes of the run, to what was before the first', () => {
    const once = change(start(ADA), { run: BAD, source: 'csv', set: { jobTitle: 'x' } })
    const twice = change(once, { run: BAD, source: 'csv', set: { jobTitle: 'y' } })
    expect(undoRecord(twice.record, twice.rows, BAD).fields).toMatchObject({ jobTitle: { value: 'Analyst' } })
  })

  test('but stays where somebody changed it since, also away and back', () => {
    const bad = change(start(ADA), { run: BAD, source: 'csv', set: { jobTitle: 'x', givenName: 'y' } })
    const away = change(bad, { run: 13, source: 'user:bo', set: { jobTitle: 'z' } })
    const back = change(away, { run: 14, source: 'user:bo', set: { jobTitle: 'x' } })
    const { fields, spared } = undoRecord(back.record, back.rows, BAD)
    expect(Object.keys(fields)).toEqual(['givenName'])
    expect(spared).toEqual([
      { reason: 'changed', field: 'jobTitle', why: 'changed since', by: 'user:bo', at: 4, run: 14 },
    ])
  })

  test('where a later change of it was itself taken back', () => {
    const bad = change(start(ADA), { run: BAD, source: 'csv', set: { jobTitle: 'x' } })
    const later = change(bad, { run: 13, source: 'csv', set: { jobTitle: 'z' } })
    const clean = undo(later, 13, 14)
    expect(undo(clean, BAD, 15).record.fields['jobTitle']).toBe('Analyst')
  })

  test('but stays where another source says the same by now', () => {
    const bad = change(start(ADA), { run: BAD, source: 'csv', set: { jobTitle: 'x' } })
    const says = { source: 'mailchimp', at: 9, rule: 'mailchimp is preferred to csv' }
    const record = { ...bad.record, provenance: { ...bad.record.provenance, jobTitle: says } }
    const { fields, spared } = undoRecord(record, bad.rows, BAD)
    expect(fields).toEqual({})
    expect(spared).toMatchObject([{ reason: 'confirmed', by: 'mailchimp' }])
  })

  test('but derived fields follow from the others', () => {
    const bad = change(start(ADA), { run: BAD, source: 'csv', set: { emailConsent: 'out' } })
    expect(undoRecord(bad.record, bad.rows, BAD)).toEqual({ fields: {}, archived: null, spared: [] })
  })
})

describe('a set goes back member by member', () => {
  const emails = (...list: string[]): Json => list
  test('later members stay, the ones it removed come back', () => {
    const old = start({ emails: emails('a@x.io', 'b@x.io') })
    const bad = change(old, { run: BAD, source: 'csv', set: { emails: emails('a@x.io', 'bad@x.io') } })
    const later = change(bad, {
      run: 13,
      source: 'user:bo',
      set: { emails: emails('a@x.io', 'bad@x.io', 'c@x.io') },
    })
    expect(undo(later, BAD, 14).record.fields['emails']).toEqual(['a@x.io', 'c@x.io', 'b@x.io'])
  })

  test('what somebody took out or put back since is theirs', () => {
    const old = start({ emails: emails('a@x.io') })
    const bad = change(old, { run: BAD, source: 'csv', set: { emails: emails('a@x.io', 'b@x.io') } })
    const out = change(bad, { run: 13, source: 'user:bo', set: { emails: emails('a@x.io') } })
    const back = change(out, { run: 14, source: 'user:bo', set: { emails: emails('a@x.io', 'b@x.io') } })
    const { fields, spared } = undoRecord(back.record, back.rows, BAD)
    expect(fields).toEqual({})
    expect(spared).toMatchObject([{ why: 'b@x.io was changed since', by: 'user:bo' }])
  })

  test('its order comes back too', () => {
    const old = start({ emails: emails('a@x.io', 'b@x.io') })
    const bad = change(old, { run: BAD, source: 'csv', set: { emails: emails('b@x.io', 'a@x.io') } })
    expect(undo(bad, BAD, 13).record.fields['emails']).toEqual(['a@x.io', 'b@x.io'])
  })
})

describe('a record', () => {
  const born = (): Told => {
    const { record, rows } = start(ADA)
    return { record, rows: rows.map((row) => ({ ...row, run: BAD, source: 'csv' })) }
  }
  test('that the run made is archived; its undo brings it back as it was', () => {
    const gone = undo(born(), BAD, 13)
    expect(gone.record.archived).toBe(true)
    const back = undo(gone, 13, 14)
    expect(back.record).toMatchObject({ archived: false, fields: ADA })
  })

  test('that somebody worked on since stays', () => {
    const worked = change(born(), { run: 13, source: 'user:bo', set: { jobTitle: 'Countess' } })
    expect(undoRecord(worked.record, worked.rows, BAD)).toMatchObject({
      fields: {},
      archived: null,
      spared: [{ field: null, by: 'user:bo', run: 13 }],
    })
  })

  test('that only follows from it is no work', () => {
    const derived = change(born(), { run: 13, source: 'rule:mail', set: { lastContactedAt: 5 } })
    expect(undoRecord(derived.record, derived.rows, BAD).archived).toBe(true)
  })

  test('that was archived is restored, unless somebody restored or archived it since', () => {
    const gone = change(start(ADA), { run: BAD, source: 'csv', archived: true })
    expect(undoRecord(gone.record, gone.rows, BAD).archived).toBe(false)
    const back = change(gone, { run: 13, source: 'user:bo', archived: false })
    const again = change(back, { run: 14, source: 'user:bo', archived: true })
    expect(undoRecord(again.record, again.rows, BAD)).toMatchObject({
      archived: null,
      spared: [{ field: null, by: 'user:bo', run: 14 }],
    })
  })

  test('that only kept its value against a remote is left alone', () => {
    const { record, rows } = start(ADA)
    const keep: PastChange = {
      op: 'keep',
      version: 1,
      at: 2,
      source: 'csv',
      run: BAD,
      undoes: null,
      changes: { jobTitle: { before: 'Analyst', after: 'Analyst', rule: 'owned by user' } },
    }
    expect(undoRecord(record, [...rows, keep], BAD)).toEqual({ fields: {}, archived: null, spared: [] })
  })
})

const value = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null })
const set = fc.uniqueArray(fc.constantFrom('a@x.io', 'b@x.io', 'c@x.io', 'd@x.io'), { maxLength: 4 })
const fieldsOf: fc.Arbitrary<JsonObject> = fc.record(
  { givenName: value, jobTitle: value, emails: set.map((list): Json => (list.length === 0 ? null : list)) },
  { requiredKeys: [] },
)
const stepOf = (runs: readonly number[]) =>
  fc.record({
    run: fc.constantFrom(...runs),
    source: fc.constantFrom('csv', 'user:ann', 'mailchimp'),
    set: fieldsOf,
    archived: fc.option(fc.boolean(), { nil: undefined }),
  })
const play = (told: Told, steps: readonly Step[]): Told => steps.reduce(change, told)
const past = fc.array(stepOf([2, 3, 4]), { maxLength: 4 }).map((steps) => play(start(ADA), steps))
/** Of one source, as a run is. */
const runOf = (run: number) =>
  fc
    .tuple(
      fc.constantFrom('csv', 'user:ann', 'mailchimp'),
      fc.array(stepOf([run]), { minLength: 1, maxLength: 3 }),
    )
    .map(([source, steps]) => steps.map((step) => ({ ...step, source })))
const list = (json: Json | undefined): readonly Json[] => (isList(json) ? json : [])
const plain = ({ record: { fields, archived } }: Told) => ({ fields, archived })
const words = ({ record }: Told) =>
  Object.fromEntries(Object.keys(ADA).map((field) => [field, record.provenance[field] ?? BORN]))

/** The run said first what was there already: the value is its word from then on. */
const hasConfirmed = ({ record }: Told, steps: readonly Step[], field: string): boolean => {
  const first = steps.find((step) => step.set !== undefined && field in step.set)
  return same(first?.set?.[field] ?? null, record.fields[field] ?? null)
}

/** Changes since that add up to nothing. */
function hasReturned({ record: before, rows }: Told, { record: after, rows: all }: Told): boolean {
  const since = all.slice(rows.length)
  const moved = since.some((row) => row.op !== 'update') && after.archived === before.archived
  return (
    moved ||
    since
      .flatMap((row) => Object.keys(row.changes))
      .some((field) => same(after.fields[field] ?? null, before.fields[field] ?? null))
  )
}

describe('whatever happened before', () => {
  test('undo right after a run leaves what was, and whose it was', () => {
    fc.assert(
      fc.property(past, runOf(BAD), (before, steps) => {
        const told = play(before, steps)
        const back = undo(told, BAD, 13)
        expect(plain(back)).toEqual(plain(before))
        const changed = Object.keys(ADA).filter(
          (field) =>
            !hasConfirmed(before, steps, field) &&
            !same(told.record.fields[field] ?? null, before.record.fields[field] ?? null),
        )
        expect(changed.map((field) => words(back)[field])).toEqual(
          changed.map((field) => words(before)[field]),
        )
      }),
      { seed: 20260302, numRuns: 2_000 },
    )
  })

  test('undo of an undo leaves what the run left', () => {
    fc.assert(
      fc.property(past, runOf(BAD), (before, steps) => {
        const told = play(before, steps)
        expect(plain(undo(undo(told, BAD, 13), 13, 14))).toEqual(plain(told))
      }),
      { seed: 20260302, numRuns: 2_000 },
    )
  })

  test('later edits survive an undo', () => {
    fc.assert(
      fc.property(past, runOf(BAD), fieldsOf, (before, steps, edits) => {
        const told = play(before, steps)
        const later = change(told, { run: 13, source: 'user:bo', set: edits })
        const back = undo(later, BAD, 14)
        const edited = (['givenName', 'jobTitle'] as const).filter(
          (field) => field in edits && !same(told.record.fields[field] ?? null, edits[field] ?? null),
        )
        expect(edited.map((field) => back.record.fields[field])).toEqual(
          edited.map((field) => edits[field] ?? null),
        )
        const added = list(edits['emails']).filter(
          (member) => !list(told.record.fields['emails']).includes(member),
        )
        const kept = list(back.record.fields['emails'])
        expect(added.filter((member) => !kept.includes(member))).toEqual([])
      }),
      { seed: 20260302, numRuns: 2_000 },
    )
  })

  test('a later run that was undone counts as none, however often it changed a field', () => {
    fc.assert(
      fc.property(past, runOf(BAD), runOf(13), (before, steps, later) => {
        const told = play(before, steps)
        const edited = play(told, later)
        const clean = undo(edited, 13, 14)
        // What it said first, too, is its own word, and stays; away and back leaves its undo nothing to do.
        fc.pre(same(plain(clean), plain(told)) && same(words(clean), words(told)))
        fc.pre(!hasReturned(told, edited))
        expect(plain(undo(clean, BAD, 15))).toEqual(plain(before))
      }),
      { seed: 20260302, numRuns: 500 },
    )
  })

  test('undoing twice changes nothing more', () => {
    fc.assert(
      fc.property(past, runOf(BAD), fieldsOf, (before, steps, edits) => {
        const later = change(play(before, steps), { run: 13, source: 'user:bo', set: edits })
        const once = undo(later, BAD, 14)
        expect(undoRecord(once.record, once.rows, BAD)).toMatchObject({ fields: {}, archived: null })
      }),
      { seed: 20260302, numRuns: 2_000 },
    )
  })
})
