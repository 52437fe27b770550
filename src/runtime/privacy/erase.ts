import type { RecordId, Source } from '../../core/model.ts'
import { patternsOf, type RemoteErasure } from '../../core/privacy.ts'
import type { Tx } from '../../store/database.ts'
import {
  addToScope,
  blankHistory,
  blankItems,
  blankWrites,
  cutLinks,
  forgetAbout,
  forgetHints,
  forgetMailHashes,
  objectsOf,
  openScope,
} from '../../store/erase-rows.ts'
import { erasureOf, insertErasure, noteErasure } from '../../store/erasures.ts'
import { loadLinks } from '../../store/links.ts'
import { lockMatching } from '../../store/matching.ts'
import { membersUnder, survivorsOf } from '../../store/merges.ts'
import { loadRecords } from '../../store/records.ts'
import { scrubNotes, scrubScope } from '../../store/scrub-rows.ts'
import { wakePush } from '../../store/wake.ts'
import { RaceError } from '../change.ts'
import { following } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { addressHash } from '../mail/judge.ts'
import { withRaces } from '../races.ts'
import { openRun } from '../run.ts'
import { titleOf } from '../title.ts'
import { closeGates } from './gates.ts'
import { leaveMail } from './leave-mail.ts'
import { leaveReferences } from './leave-records.ts'
import { mentioned, remotesOf, type KnownObject } from './remotes.ts'
import { emptied } from './shell.ts'
import { recognise } from './traces.ts'

export type ErasureCounts = Readonly<Record<string, number>>
export type Erased = {
  readonly kind: 'planned' | 'erased'
  /** Null where it was only planned. */
  readonly erasure: number | null
  readonly run: number | null
  readonly record: RecordId
  /** With everything that had been merged into it. */
  readonly records: readonly RecordId[]
  readonly title: string
  readonly counts: ErasureCounts
  readonly remotes: readonly RemoteErasure[]
  /** What stays, and why; for people. */
  readonly stays: readonly string[]
}
export type EraseResult =
  | Erased
  | { readonly kind: 'refused'; readonly code: 'missing' | 'erased'; readonly message: string }

/** Ends a transaction that was only to show what it would do. */
class Rehearsed extends Error {
  readonly result: Erased
  constructor(result: Erased) {
    super('rehearsed')
    this.result = result
  }
}

/**
 * Erases a contact in the hub, in one transaction: what is left is its number and its times. Vendors are asked after it
 * (`finishErasure`). With `dryRun` the same is done and rolled back, so that what is shown is what will be done.
 */
export async function eraseRecord(
  hub: Hub,
  request: { readonly id: RecordId; readonly by: Source; readonly dryRun?: boolean },
): Promise<EraseResult> {
  const dryRun = request.dryRun === true
  const run = openRun(hub, null, 'erase', {}, { by: request.by })
  let problem: string | null = null
  try {
    const result = await withRaces(hub, () =>
      hub.session.begin(async (tx): Promise<EraseResult> => {
        const found = await lockPerson(tx, request.id)
        if ('kind' in found) return found
        const erased = await carryOut(hub, tx, found, request.by, dryRun ? null : await run.id())
        if (dryRun) throw new Rehearsed(erased)
        return erased
      }),
    )
    if (result.kind === 'erased') run.count(result.counts)
    return result
  } catch (error) {
    if (error instanceof Rehearsed) return error.result
    problem = 'it did not come to its end; nothing was erased'
    throw error
  } finally {
    await run.end(problem)
  }
}

type Person = { readonly root: RecordId; readonly records: readonly RecordId[] }

/** The record with all that is merged with it, each locked until the transaction ends. */
async function lockPerson(tx: Tx, id: RecordId): Promise<Person | Extract<EraseResult, { kind: 'refused' }>> {
  // A match step that has read the person would ask about them by name afterwards. It locks records after this.
  await lockMatching(tx, 'contact', true)
  const rootOf = async () => (await survivorsOf(tx, [id])).get(id) ?? id
  const root = await rootOf()
  const records = await membersUnder(tx, root)
  const locked = await loadRecords(tx, 'contact', records, 'lock')
  const before = await erasureOf(tx, id)
  if (before !== undefined)
    return {
      kind: 'refused',
      code: 'erased',
      message: `Contact ${id} was erased on ${new Date(before.at).toISOString().slice(0, 10)} by ${before.by} (erasure ${before.id}). Nothing is left to erase.`,
    }
  if (!locked.has(root) || !locked.has(id))
    return { kind: 'refused', code: 'missing', message: `There is no contact ${id}.` }
  const now = await membersUnder(tx, await rootOf())
  if (now.length !== records.length || now.some((one) => !records.includes(one)))
    throw new RaceError('it was merged, or unmerged, meanwhile')
  return { root, records }
}

async function carryOut(
  hub: Hub,
  tx: Tx,
  { root, records }: Person,
  by: Source,
  run: number | null,
): Promise<Erased> {
  const at = hub.clock.now()
  const follow = following(hub, tx, run, 'always')
  const title = titleOfRecord((await loadRecords(tx, 'contact', [root])).get(root), root)
  const person = await recognise(tx, records)
  const { traces } = person
  const patterns = patternsOf(traces)
  const objects = await knownObjects(hub, tx, records)
  const opened = { recordId: root, records, kind: 'contact', by, at, run } as const
  const erasure = await insertErasure(tx, opened)
  await openScope(tx)
  const woken = new Set<string>()
  const wake = (names: Iterable<string>) => {
    for (const name of names) woken.add(name)
  }

  const mail = await leaveMail(follow, records, traces.emails, patterns, by)
  wake(mail.woken)
  // Before the records that name them: what was invoiced to nobody is compared with nothing.
  wake(await emptied(follow, records, by))
  const left = await leaveReferences(follow, records, patterns, by)
  wake(left.woken)
  const named = await mentioned(hub, tx, patterns)
  await scrubScope(tx, patterns)
  await addToScope(tx, records)

  const remotes = [...(await remotesOf(tx, records, objects)), ...named]
  const withIds = objects.flatMap(({ remoteId, ...one }) => (remoteId === null ? [] : [{ ...one, remoteId }]))
  await cutLinks(tx, records)
  const writes = await blankWrites(tx, records)
  const history = await blankHistory(tx, records)
  const gathered = await forgetAbout(tx, records, withIds)
  const items = await blankItems(tx, records, at)
  for (const { target, remoteId, aliases } of objects)
    if (target !== null)
      await forgetHints(tx, target.stream.connection, target.stream.resource, [
        ...(remoteId === null ? [] : [remoteId]),
        ...aliases,
      ])
  const hash = await hub.mailHash()
  await forgetMailHashes(
    tx,
    traces.emails.map((address) => addressHash(hash, address)),
  )
  const statements = await closeGates(tx, hash, erasure, { ...person, objects })
  await scrubNotes(tx, patterns)

  const counts = counted({
    records: records.length,
    ...left.counts,
    ...mail.counts,
    history,
    writes,
    inbox: items,
    statements,
    gathered,
    links: objects.length,
  })
  await noteErasure(tx, erasure, { counts, remotes })
  await wakePush(tx, woken)
  if (run !== null) await tx`select graphile_worker.add_job('erasures', job_key := 'erasures')`
  const kind = run === null ? 'planned' : 'erased'
  return {
    kind,
    erasure: run === null ? null : erasure,
    run,
    record: root,
    records,
    title,
    counts,
    remotes,
    stays: staying(left.counts, counts),
  }
}

async function knownObjects(hub: Hub, tx: Tx, records: readonly RecordId[]): Promise<readonly KnownObject[]> {
  const held = await objectsOf(tx, records)
  const links = await loadLinks(
    tx,
    held.map((one) => one.link),
  )
  const bodies = new Map(links.map((link) => [link.id, link.observed]))
  return held.map((one): KnownObject => {
    const target = hub.targets.find((t) => t.id === one.streamId) ?? null
    const body = bodies.get(one.link) ?? null
    const aliases = body === null ? [] : (target?.resource.aliases?.(body) ?? [])
    return { ...one, target, aliases }
  })
}

const titleOfRecord = (record: Parameters<typeof titleOf>[0] | undefined, id: RecordId): string =>
  record === undefined ? `contact ${id}` : titleOf(record)

const counted = (counts: ErasureCounts): ErasureCounts =>
  Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0))

function staying(left: ErasureCounts, counts: ErasureCounts): readonly string[] {
  const unsent = left['unsentInvoices'] ?? 0
  const issued = (left['invoices'] ?? 0) - unsent
  return [
    ...(issued > 0
      ? [
          `${issued} invoices stay, here and at the vendor, as the law asks: here without the person's name, with the number of the empty record.`,
        ]
      : []),
    ...(unsent > 0
      ? [
          `${unsent} invoices that had not been sent are withdrawn: the inbox asks who gets them instead, where the deal is won.`,
        ]
      : []),
    ...((counts['sharedMessages'] ?? 0) > 0
      ? [
          `${counts['sharedMessages']} messages in which other people take part stay without the person's name and address.`,
        ]
      : []),
    'Mail in your own mailboxes stays there: Concord never changes mailboxes.',
    'Backups of the database hold the person until they expire. After restoring one, erase the person again.',
    'CSV files and other sources that are only read keep their rows until you delete them there; the hub leaves them out.',
  ]
}
