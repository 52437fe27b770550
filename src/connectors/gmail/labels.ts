import { createHash } from 'node:crypto'
import type { gmail_v1 } from '@googleapis/gmail'
import type { MailFlag } from '../../core/mail/message.ts'
import { ask } from './client.ts'
import { labelsWire } from './wire.ts'

const FLAGS: Readonly<Record<string, MailFlag>> = {
  DRAFT: 'draft',
  CHAT: 'chat',
  SENT: 'sent',
  SPAM: 'spam',
  TRASH: 'trash',
}
/** Labels of Gmail's own that keep a message out and come and go; SENT and CHAT stay as they are. */
export const FLAG_LABELS: readonly string[] = ['SPAM', 'TRASH', 'DRAFT']

export function flagsOf(labelIds: readonly string[]): readonly MailFlag[] {
  return labelIds.flatMap((id) => (Object.hasOwn(FLAGS, id) ? (FLAGS[id] ?? []) : []))
}

const IDLE = new Set(['UNREAD', 'STARRED', 'IMPORTANT', 'INBOX'])

/** Whether a label can neither keep a message in nor out, nor change how it is logged. */
export function isIdle(labelId: string): boolean {
  return IDLE.has(labelId) || labelId.startsWith('CATEGORY_')
}

/**
 * Gmail's own labels have ids in capitals (INBOX, CATEGORY_SOCIAL, YELLOW_STAR), not all of which it lists; a user's
 * begin with `Label_`. https://developers.google.com/workspace/gmail/api/guides/labels
 */
const OWN = /^[A-Z][A-Z_]*$/

/** The names of a mailbox's labels, listed once a page (1 unit), and again when a message carries one made since. */
export type Labels = {
  /** Names of a message's own labels, without Gmail's; null where one is unknown. */
  namesOf(labelIds: readonly string[]): Promise<readonly string[] | null>
  /** Lists them, if nothing else did. By label id, what tells that a name is another one, and nothing of the name. */
  digests(): Promise<Digests>
  /** The same, of the names that this page went by; null where it asked for none. */
  seen(): Promise<Digests | null>
}
export type Digests = Readonly<Record<string, string>>

export function labelsOf(client: gmail_v1.Gmail, userId: string): Labels {
  let listed: Promise<Names> | null = null
  let again: Promise<Names> | null = null
  const first = () => (listed ??= list(client, userId))
  const digests = async () => digestsOf(await first(), again === null ? null : await again)
  return {
    async namesOf(labelIds) {
      if (labelIds.every((id) => isIdle(id) || Object.hasOwn(FLAGS, id))) return []
      const known = namesIn(await first(), labelIds)
      return known ?? namesIn(await (again ??= list(client, userId)), labelIds)
    },
    digests,
    seen: async () => (listed === null ? null : digests()),
  }
}

/** A label that had two names within one page has a digest that no name has: its messages are read again. */
function digestsOf(first: Names, again: Names | null): Digests {
  const digests: Record<string, string> = {}
  for (const [id, name] of again ?? first) {
    const before = first.get(id)
    if (name !== null) digests[id] = before === undefined || before === name ? digest(name) : 'two names'
  }
  return digests
}

/** By id; null for a label of Gmail's own, whose name says nothing about what people sort by. */
type Names = ReadonlyMap<string, string | null>

async function list(client: gmail_v1.Gmail, userId: string): Promise<Names> {
  const { labels } = await ask('labels.list', client.users.labels.list({ userId }), labelsWire)
  return new Map((labels ?? []).map(({ id, name, type }) => [id, type === 'system' ? null : name]))
}

function namesIn(names: Names, labelIds: readonly string[]): readonly string[] | null {
  const found: string[] = []
  for (const id of labelIds) {
    const name = names.get(id)
    if (name === undefined && !OWN.test(id)) return null
    if (typeof name === 'string') found.push(name)
  }
  return found
}

function digest(name: string): string {
  return createHash('sha256').update(name).digest('base64url').slice(0, 12)
}
