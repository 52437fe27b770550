import { createHash } from 'node:crypto'
import type { ListResponse, StatusObject } from 'imapflow'
import type { MailFlag } from '../../core/mail/message.ts'
import type { Session } from './session.ts'
import type { Account } from './settings.ts'

export type Role = Extract<MailFlag, 'draft' | 'sent' | 'spam' | 'trash'>

export type Listed = {
  readonly path: string
  /** As its owner sees it, nested by `/`, `.` or `\`. */
  readonly label: string
  readonly role: Role | null
  /** Null: the server did not tell, as of a folder that may not be opened. */
  readonly status: Status | null
}
export type Status = {
  readonly validity: string
  readonly next: number
  readonly size: number
  readonly modseq: string | null
}

const QUERY = { messages: true, uidNext: true, uidValidity: true, highestModseq: true }

/**
 * The folders that are read, with where each of them is: one command where the server has LIST-STATUS (RFC 5819), else
 * one more a folder.
 */
export async function listFolders(session: Session): Promise<readonly Listed[]> {
  // Of an open folder servers tell what this session knows of it (RFC 9051, 6.3.11). Opened to read only, it is closed
  // without anything being removed.
  if (session.client.mailbox !== false) await session.client.mailboxClose()
  const entries = await session.client.list({ statusQuery: QUERY })
  return entries
    .filter((entry) => isRead(entry, session.account))
    .map((entry) => ({
      path: entry.path,
      label: labelOf(entry),
      role: roleOf(entry, entries),
      status: statusOf(entry.status, session.client.enabled.has('CONDSTORE')),
    }))
    .toSorted((a, b) => rank(a) - rank(b))
}

/** What a person waits for comes first. */
export function rank({ path, role }: Pick<Listed, 'path' | 'role'>): number {
  if (path.toUpperCase() === 'INBOX') return 0
  if (role === 'sent') return 1
  return role === null ? 2 : 3
}

/** Those of RFC 6154 that show messages of other folders a second time. */
const DOUBLES = ['\\All', '\\Flagged', '\\Important']
const CLOSED = ['\\Noselect', '\\NonExistent']

function isRead(entry: ListResponse, account: Account): boolean {
  if ([...DOUBLES, ...CLOSED].some((flag) => has(entry, flag))) return false
  const isBelow = (name: string) => isIn(entry, name)
  return (account.folders === null || account.folders.some(isBelow)) && !account.withoutFolders.some(isBelow)
}

const has = ({ flags }: ListResponse, flag: string): boolean =>
  [...flags].some((one) => one.toLowerCase() === flag.toLowerCase())

function isIn({ path, delimiter }: ListResponse, name: string): boolean {
  const [own, wanted] = [path.toLowerCase(), name.toLowerCase()]
  return own === wanted || (delimiter !== '' && own.startsWith(wanted + delimiter))
}

const BY_FLAG: Readonly<Record<string, Role>> = {
  '\\drafts': 'draft',
  '\\sent': 'sent',
  '\\junk': 'spam',
  '\\trash': 'trash',
}
/** For servers that do not tell (RFC 6154), and beside those that do: programs make folders of their own. */
const BY_NAME: Readonly<Record<string, Role>> = {
  drafts: 'draft',
  draft: 'draft',
  entwürfe: 'draft',
  sent: 'sent',
  'sent items': 'sent',
  'sent mail': 'sent',
  'sent messages': 'sent',
  gesendet: 'sent',
  junk: 'spam',
  'junk e-mail': 'spam',
  'junk email': 'spam',
  spam: 'spam',
  'bulk mail': 'spam',
  trash: 'trash',
  bin: 'trash',
  'deleted items': 'trash',
  'deleted messages': 'trash',
}

/** A folder's own role, else that of the nearest folder above: Sent/2025 is sent mail too. */
function roleOf(entry: ListResponse, all: readonly ListResponse[]): Role | null {
  const own = ownRole(entry)
  if (own !== null || entry.parentPath === '') return own
  const above = all.find(({ path }) => path === entry.parentPath)
  return above === undefined ? null : roleOf(above, all)
}

function ownRole(entry: ListResponse): Role | null {
  const flag = [...entry.flags].map((one) => BY_FLAG[one.toLowerCase()]).find((role) => role !== undefined)
  if (flag !== undefined) return flag
  const isTop = entry.parentPath === '' || entry.parentPath.toUpperCase() === 'INBOX'
  // imapflow knows the names in many languages, and gives one folder of each kind.
  const guessed = BY_FLAG[entry.specialUse?.toLowerCase() ?? '']
  return isTop ? (BY_NAME[entry.name.trim().toLowerCase()] ?? guessed ?? null) : null
}

function labelOf({ path, delimiter }: ListResponse): string {
  return delimiter === '' || /[/.\\]/.test(delimiter) ? path : path.replaceAll(delimiter, '/')
}

function statusOf(status: StatusObject | undefined, hasModseq: boolean): Status | null {
  const { uidValidity, uidNext, messages, highestModseq } = status ?? {}
  if (uidValidity === undefined || uidNext === undefined || messages === undefined) return null
  // 0: the folder keeps none (RFC 7162, 3.1.2.2).
  const isKept = hasModseq && highestModseq !== undefined && highestModseq !== 0n
  const modseq = isKept ? String(highestModseq) : null
  return { validity: String(uidValidity), next: uidNext, size: messages, modseq }
}

/** `<folder>:<UIDVALIDITY>:<UID>`. The folder by a digest of its path: an id is kept also where nothing else may be. */
export function remoteId(path: string, validity: string, uid: number): string {
  return `${keyOf(path)}:${validity}:${uid}`
}

export function keyOf(path: string): string {
  return createHash('sha256').update(path).digest('base64url').slice(0, 12)
}

/** Null for what is no id of ours. */
export function readId(id: string): { key: string; validity: string; uid: number } | null {
  const [, key, validity, uid] = /^([\w-]{12}):(\d{1,20}):(\d{1,10})$/.exec(id) ?? []
  return key === undefined || validity === undefined ? null : { key, validity, uid: Number(uid) }
}
