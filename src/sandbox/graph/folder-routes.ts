import { Hono } from 'hono'
import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import type { Env } from './access.ts'
import { answerDelta, type DeltaTokens } from './delta.ts'
import { badRequest, folderNotFound } from './errors.ts'
import { answerList, bodyAs } from './listing.ts'
import { type Query, readQuery } from './query.ts'
import { findFolder, type GraphState, type Mailbox, type MailFolder, newFolder } from './state.ts'

const folderBody = z.object({ displayName: z.string().min(1), isHidden: z.boolean().optional() })

/** https://learn.microsoft.com/en-us/graph/api/user-list-mailfolders */
export function folderRoutes(state: GraphState, tokens: DeltaTokens): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get('/mailFolders', (c) => {
    const mailbox = c.get('mailbox')
    return answerList(c, childrenOf(mailbox, mailbox.rootId, showsHidden(c.req.url)), folderViewer(mailbox))
  })

  routes.post('/mailFolders', async (c) => {
    const mailbox = c.get('mailbox')
    const { displayName, isHidden = false } = await bodyAs(c, folderBody)
    const folder = newFolder(state, mailbox, {
      displayName,
      isHidden,
      parentId: mailbox.rootId,
      wellKnown: null,
    })
    return c.json(folderView(mailbox, folder, null), 201)
  })

  routes.get('/mailFolders/delta', (c) => {
    const mailbox = c.get('mailbox')
    return answerDelta(state, tokens, c, {
      feed: mailbox.folderFeed,
      type: 'mailFolder',
      check: refuseFilter,
      first: () => null,
      includes: (folder, { includesHidden }) => includesHidden || !folder.isHidden,
      view: (folder, query) => ({
        '@odata.type': '#microsoft.graph.mailFolder',
        ...folderView(mailbox, folder, query.select),
      }),
    })
  })

  routes.get('/mailFolders/$count', (c) => {
    const mailbox = c.get('mailbox')
    return c.text(String(childrenOf(mailbox, mailbox.rootId, false).length))
  })

  routes.get('/mailFolders/:folder', (c) => {
    const mailbox = c.get('mailbox')
    const { select } = readQuery(new URL(c.req.url).searchParams)
    if (isRoot(mailbox, c.req.param('folder'))) return c.json(rootView(mailbox))
    return c.json(folderView(mailbox, folderOf(mailbox, c.req.param('folder')), select))
  })

  routes.get('/mailFolders/:folder/childFolders', (c) => {
    const mailbox = c.get('mailbox')
    const name = c.req.param('folder')
    const parent = isRoot(mailbox, name) ? mailbox.rootId : folderOf(mailbox, name).ids.immutable
    return answerList(c, childrenOf(mailbox, parent, showsHidden(c.req.url)), folderViewer(mailbox))
  })
  return routes
}

export function folderOf(mailbox: Mailbox, idOrName: string): MailFolder {
  const folder = findFolder(mailbox, idOrName)
  if (folder === null) throw folderNotFound()
  return folder
}

/** Hidden folders come only where they are asked for. */
function showsHidden(url: string): boolean {
  return readQuery(new URL(url).searchParams).includesHidden
}

function childrenOf({ folders }: Mailbox, parentId: string, hidden: boolean): readonly MailFolder[] {
  return [...folders.values()]
    .filter((folder) => folder.parentId === parentId && (hidden || !folder.isHidden))
    .toSorted((a, b) => (a.displayName < b.displayName ? -1 : 1))
}

function isRoot({ rootId }: Mailbox, name: string): boolean {
  return name === rootId || name.toLowerCase() === 'msgfolderroot'
}

function rootView(mailbox: Mailbox): JsonObject {
  return {
    id: mailbox.rootId,
    displayName: 'Top of Information Store',
    parentFolderId: null,
    childFolderCount: childrenOf(mailbox, mailbox.rootId, false).length,
    unreadItemCount: 0,
    totalItemCount: 0,
    isHidden: false,
  }
}

function folderViewer(mailbox: Mailbox) {
  return (folder: MailFolder, query: Query) => folderView(mailbox, folder, query.select)
}

/** v1.0 does not say which folder is which: there is no `wellKnownName` but in beta. */
function folderView(mailbox: Mailbox, folder: MailFolder, select: readonly string[] | null): JsonObject {
  const all: JsonObject = {
    displayName: folder.displayName,
    parentFolderId: folder.parentId,
    childFolderCount: childrenOf(mailbox, folder.ids.immutable, false).length,
    unreadItemCount: 0,
    totalItemCount: folder.byTime.size,
    isHidden: folder.isHidden,
  }
  const chosen = Object.entries(all).filter(([name]) => select === null || select.includes(name))
  return { id: folder.ids.immutable, ...Object.fromEntries(chosen) }
}

function refuseFilter({ filter }: Query): void {
  if (filter.length > 0)
    throw badRequest("'$filter' is not supported with change tracking over this resource.")
}
