import { nestedSession, targetsOf, type Hub, type Target } from './hub.ts'
import { observeStream } from './observe.ts'
import { pushStream } from './push.ts'
import { listItems, type InboxItem } from '../store/inbox.ts'
import { holding } from './hold.ts'

/** What a sync would do to one stream's two sides, in records. */
export type PreviewLine = {
  readonly stream: string
  readonly read: number
  readonly hub: {
    readonly create: number
    readonly link: number
    readonly update: number
    readonly archive: number
  }
  readonly remote: {
    readonly create: number
    readonly update: number
    readonly consent: number
    readonly archive: number
  }
  readonly conflicts: number
  readonly unreadable: number
  readonly held: boolean
}
export type Preview = { readonly lines: readonly PreviewLine[]; readonly questions: readonly InboxItem[] }

class Rollback extends Error {}

/**
 * What syncing these connections would do: the real thing, in one transaction that is rolled back, with nothing sent
 * to a vendor. Holds the connections and, while it runs, the records it touches.
 */
export async function previewSync(hub: Hub, names: readonly string[]): Promise<Preview> {
  const [first, ...rest] = names
  if (first !== undefined) {
    // In name order, so that two previews cannot wait for each other.
    return holding(hub, first, () =>
      rest.length === 0 ? rolledBack(hub, names) : previewRest(hub, names, rest),
    )
  }
  return { lines: [], questions: [] }
}

const previewRest = (hub: Hub, names: readonly string[], rest: readonly string[]): Promise<Preview> => {
  const [next, ...others] = rest
  return next === undefined
    ? rolledBack(hub, names)
    : holding(hub, next, () => previewRest(hub, names, others))
}

async function rolledBack(hub: Hub, names: readonly string[]): Promise<Preview> {
  let preview: Preview | undefined
  try {
    await hub.db.sql.begin(async (tx) => {
      preview = await dryRun({ ...hub, session: nestedSession(tx), preview: true }, names)
      throw new Rollback()
    })
  } catch (error) {
    if (!(error instanceof Rollback)) throw error
  }
  if (preview === undefined) throw new Error('the preview was not made')
  return preview
}

async function dryRun(hub: Hub, names: readonly string[]): Promise<Preview> {
  const before = new Set(
    (await listItems(hub.session.q, { state: 'open', limit: 10_000 })).map((item) => item.id),
  )
  const lines = new Map<number, PreviewLine>()
  for (const target of names.flatMap((name) => [...targetsOf(hub, name)])) {
    lines.set(target.id, await readSide(hub, target))
  }
  for (const target of names.flatMap((name) => [...targetsOf(hub, name)])) {
    const line = lines.get(target.id)
    if (target.push === null || line === undefined) continue
    lines.set(target.id, { ...line, ...(await writeSide(hub, target, line)) })
  }
  const items = await listItems(hub.session.q, { state: 'open', limit: 10_000 })
  return { lines: [...lines.values()], questions: items.filter((item) => !before.has(item.id)) }
}

async function readSide(hub: Hub, target: Target): Promise<PreviewLine> {
  const none = { create: 0, update: 0, consent: 0, archive: 0 }
  const counts: Record<string, number> = {}
  const line = (seen: number, held: boolean): PreviewLine => ({
    stream: target.label,
    read: seen,
    hub: {
      create: counts['created'] ?? 0,
      link: counts['linked'] ?? 0,
      update: counts['updated'] ?? 0,
      archive: counts['gone'] ?? 0,
    },
    remote: none,
    conflicts: counts['conflicts'] ?? 0,
    unreadable: counts['unreadable'] ?? 0,
    held,
  })
  if (target.stream.direction === 'out') return line(0, false)
  const observed = await observeStream(hub, target, 'changes', counts)
  return line(observed.seen, observed.held)
}

async function writeSide(
  hub: Hub,
  target: Target,
  line: PreviewLine,
): Promise<Pick<PreviewLine, 'remote' | 'held'>> {
  const counts: Record<string, number> = {}
  await pushStream(hub, target, new Set(), counts)
  return {
    held: line.held,
    remote: {
      create: counts['write_create'] ?? 0,
      update: counts['write_update'] ?? 0,
      consent: counts['write_consent'] ?? 0,
      archive: counts['write_archive'] ?? 0,
    },
  }
}
