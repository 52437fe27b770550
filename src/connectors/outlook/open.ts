import type { Instant } from '../../core/json.ts'
import type { Io } from '../connector.ts'
import { recentSince } from './arrivals.ts'
import type { State, Walk } from './cursor.ts'
import { isWaiting } from './cursor.ts'
import { type Folders, labelsOf, readFolders, readRoles, rolesOf } from './folders.ts'

/** Where everything goes on from: taken before anything is listed. */
export async function open(io: Io, home: string): Promise<State> {
  const now = io.now()
  const roles = await readRoles(io, home)
  const { tree, link } = await readFolders(io, home, {}, null)
  const walks = Object.fromEntries(Object.keys(tree).map((id) => [id, FROM_THE_START]))
  const folders = { tree, roles }
  return { folders, foldersLink: link, walks, recent: recentSince(now), cycle: null, readAt: now }
}

export const FROM_THE_START: Walk = { at: 'listing', next: null, listed: 0 }

/**
 * Begins a pass, or begins it again: folders first. A new folder is listed from its start; so is one that was
 * renamed or moved, with those below it, since its messages have other labels now and no delta tells of them.
 */
export async function beginCycle(io: Io, home: string, state: State): Promise<State> {
  const startedAt = io.now()
  const { tree, link } = await readFolders(io, home, state.folders.tree, state.foldersLink)
  const hasNew = Object.keys(tree).some((id) => state.folders.tree[id] === undefined)
  // Outlook makes some folders of its own when they are first needed.
  const roles = hasNew ? await readRoles(io, home) : state.folders.roles
  const folders = { tree, roles }
  const walks = Object.fromEntries(
    Object.keys(tree).map((id) => {
      const walk = state.walks[id]
      return [id, walk !== undefined && isSameFolder(state.folders, folders, id) ? walk : FROM_THE_START]
    }),
  )
  return inCycle({ ...state, folders, foldersLink: link, walks }, startedAt)
}

function inCycle(state: State, startedAt: Instant): State {
  const recent = isWaiting(state) ? (state.recent ?? recentSince(state.readAt)) : null
  const left = Object.keys(state.walks)
    .filter((id) => state.walks[id]?.at === 'changes')
    .toSorted((a, b) => rank(state.folders, a) - rank(state.folders, b))
  const missing = state.cycle?.missing ?? []
  return {
    ...state,
    recent,
    cycle: { startedAt, steppedAt: startedAt, recent: recent !== null, left, missing },
  }
}

function isSameFolder(before: Folders, after: Folders, id: string): boolean {
  const said = (folders: Folders) => JSON.stringify([labelsOf(folders, id), rolesOf(folders, id)])
  return said(before) === said(after)
}

/** What a person waits for comes first. */
export function rank(folders: Folders, id: string): number {
  const role = rolesOf(folders, id)[0]
  if (role === 'inbox') return 0
  if (role === 'sent') return 1
  return role === undefined ? 2 : 3
}

/** A folder whose token was forgotten starts over; what arrives meanwhile is looked for by its time. */
export function restarted(state: State, id: string): State {
  const recent = state.recent ?? recentSince(state.readAt)
  return { ...state, recent, walks: { ...state.walks, [id]: FROM_THE_START } }
}

/** A folder that is not there any more. */
export function without(state: State, id: string): State {
  const { [id]: _walk, ...walks } = state.walks
  const { [id]: _node, ...tree } = state.folders.tree
  return { ...state, walks, folders: { ...state.folders, tree } }
}
