import type { Io } from '../connector.ts'
import { askPage } from './graph.ts'
import { isNobody, readUser } from './mailboxes.ts'
import { badSetting, contactFolderOf, contactsHome, homeOf, mailboxesOf } from './settings.ts'
import { folder } from './wire.ts'

/** Whose account it is, and that the contact folder is there; a wrong one is told with those there are. */
export async function check(io: Io): Promise<{ readonly accountId: string; readonly label: string }> {
  const mailboxes = mailboxesOf(io)
  const home = contactsHome(io)
  const first = mailboxes?.[0]
  const account = await whose(io, first === undefined ? '/me' : homeOf(first))
  await checkFolder(io, home)
  const name = account.displayName ?? ''
  const address = account.mail ?? account.userPrincipalName ?? account.id
  const others = (mailboxes?.length ?? 1) - 1
  const label = `${name === '' ? address : `${name} <${address}>`}${others > 0 ? ` and ${others} more` : ''}`
  return { accountId: account.id, label }
}

async function whose(io: Io, home: string) {
  try {
    return await readUser(io, home)
  } catch (error) {
    if (!isNobody(error) || home === '/me') throw error
    const address = decodeURIComponent(home.slice('/users/'.length))
    throw badSetting(
      'mailboxes',
      `mailboxes: There is no user ${address}. Correct the address, or take it out.`,
    )
  }
}

/** https://learn.microsoft.com/en-us/graph/api/user-list-contactfolders */
async function checkFolder(io: Io, home: string): Promise<void> {
  const id = contactFolderOf(io)
  if (id === null) return
  const query = { $select: 'id,displayName', $top: '100' }
  const { value } = await askPage(io, { method: 'GET', to: `${home}/contactFolders`, query })
  const folders = value.flatMap((raw) => folder.safeParse(raw).data ?? [])
  if (folders.some((one) => one.id === id)) return
  const choices =
    folders.map((one) => `${one.id} (${one.displayName ?? ''})`).join(', ') || '(there are none)'
  throw badSetting(
    'contactFolder',
    `contactFolder: There is no contact folder ${id}. Set it to one of: ${choices}, or leave it out.`,
  )
}
