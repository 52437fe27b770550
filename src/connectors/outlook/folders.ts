import { z } from 'zod'
import type { MailFlag } from '../../core/mail/message.ts'
import { failureOf, type Io, VendorError } from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, askDelta, type Call, CONCURRENT } from './graph.ts'
import { folder, FOLDER_FIELDS, idOnly, removed } from './wire.ts'

export const node = z.object({ name: z.string(), parent: z.string().nullable(), size: z.number() })
/** Folders by id, the hidden root left out. */
export type Tree = Readonly<Record<string, z.output<typeof node>>>

/**
 * What a message in a folder with a name of Outlook's own is. `gone`: it was deleted from the deleted items as well,
 * and only an administrator gets it back. https://learn.microsoft.com/en-us/graph/api/resources/mailfolder
 */
export const ROLES = {
  drafts: 'draft',
  outbox: 'draft',
  sentitems: 'sent',
  junkemail: 'spam',
  deleteditems: 'trash',
  conversationhistory: 'chat',
  inbox: 'inbox',
  recoverableitemsdeletions: 'gone',
} as const
export const role = z.enum(['draft', 'sent', 'spam', 'trash', 'chat', 'inbox', 'gone'])
export type Role = z.output<typeof role>
/** Roles by the id of their folder. */
export type Roles = Readonly<Record<string, Role>>

export type Folders = { readonly tree: Tree; readonly roles: Roles }

/** Names do not depend on the mailbox's language; a folder that nobody has used yet is not there. */
export async function readRoles(io: Io, home: string): Promise<Roles> {
  const found = await inParallel(Object.entries(ROLES), CONCURRENT, async ([name, is]) => {
    const call = { method: 'GET', to: `${home}/mailFolders/${name}`, query: { $select: 'id' } } as const
    try {
      return [[(await ask(io, call, idOnly)).id, is] as const]
    } catch (error) {
      if (failureOf(error)?.kind === 'missing') return []
      throw error
    }
  })
  return Object.fromEntries(found.flat())
}

export type FolderRound = { readonly tree: Tree; readonly link: string }

/**
 * All folders, as far as they changed since `link`: they are few, so a round is read whole. A forgotten link starts
 * over. https://learn.microsoft.com/en-us/graph/api/mailfolder-delta
 */
export async function readFolders(
  io: Io,
  home: string,
  before: Tree,
  link: string | null,
): Promise<FolderRound> {
  const start = `${home}/mailFolders/delta`
  for (let [from, tries] = [link, 0]; ; tries++) {
    try {
      return await round(io, start, from === null ? {} : before, from)
    } catch (error) {
      if (failureOf(error)?.kind !== 'cursor-expired') throw error
      if (tries === ROUNDS) throw restless()
      from = null
    }
  }
}
/** Links may die in the middle of a round; more often than this there is something wrong with the mailbox. */
const ROUNDS = 5

function restless(): VendorError {
  const message = 'Outlook forgets its list of folders while it is read. It is tried again later.'
  return new VendorError({ kind: 'unavailable', committed: 'no', message })
}

async function round(io: Io, start: string, before: Tree, from: string | null): Promise<FolderRound> {
  const tree = new Map(Object.entries(before))
  for (let link = from ?? start; ; ) {
    const call: Call = { method: 'GET', to: link, pageSize: 200 }
    const read = await askDelta(io, link === start ? { ...call, query: { $select: FOLDER_FIELDS } } : call)
    for (const raw of read.value) {
      const gone = removed.safeParse(raw)
      if (gone.success) {
        tree.delete(gone.data.id)
        continue
      }
      const seen = folder.safeParse(raw)
      if (!seen.success) continue
      const { id, displayName, parentFolderId, totalItemCount } = seen.data
      const old = tree.get(id)
      tree.set(id, {
        name: displayName ?? old?.name ?? '',
        parent: parentFolderId ?? old?.parent ?? null,
        size: totalItemCount ?? old?.size ?? 0,
      })
    }
    if (read.done !== null) return { tree: Object.fromEntries(tree), link: read.done }
    link = read.link
  }
}

/** Folders with those above them that `tree` lacks: hidden ones are not listed. Unknown ids are left out. */
export async function withFolder(io: Io, home: string, folders: Folders, id: string): Promise<Folders> {
  const tree = new Map(Object.entries(folders.tree))
  for (let at: string | null = id; at !== null && !tree.has(at) && tree.size < MOST_FOLDERS; ) {
    const to = `${home}/mailFolders/${encodeURIComponent(at)}`
    const call: Call = { method: 'GET', to, query: { $select: FOLDER_FIELDS } }
    try {
      const { displayName, parentFolderId }: z.output<typeof folder> = await ask(io, call, folder)
      // The root is its own parent, or has none; it is no part of a path.
      if (!parentFolderId || parentFolderId === at) break
      tree.set(at, { name: displayName ?? '', parent: parentFolderId, size: 0 })
      at = parentFolderId
    } catch (error) {
      if (failureOf(error)?.kind !== 'missing') throw error
      break
    }
  }
  return { tree: Object.fromEntries(tree), roles: folders.roles }
}
const MOST_FOLDERS = 100_000

/** A folder and those above it, the lowest first; empty where it is not known. */
function lineage(tree: Tree, id: string): readonly string[] {
  const line: string[] = []
  for (let at: string | null = id; at !== null && tree[at] !== undefined && !line.includes(at); ) {
    line.push(at)
    at = tree[at]?.parent ?? null
  }
  return line
}

/** The path of a folder, as a label: `Inbox/Customers/Acme`. Null: it could not be read. */
export function labelsOf({ tree }: Folders, id: string): readonly string[] | null {
  const names = lineage(tree, id).map((at) => tree[at]?.name ?? '')
  return names.length === 0 ? null : [names.toReversed().join('/')]
}

/** Its own role and those of the folders above it: what lies below the deleted items was deleted. */
export function rolesOf({ tree, roles }: Folders, id: string): readonly Role[] {
  const line = [id, ...lineage(tree, id)]
  return [...new Set(line.flatMap((at) => roles[at] ?? []))]
}

export function flagsOf(folders: Folders, id: string): readonly MailFlag[] {
  return rolesOf(folders, id).flatMap((is) => (is === 'inbox' || is === 'gone' ? [] : [is]))
}
