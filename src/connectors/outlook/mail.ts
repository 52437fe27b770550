import type { Mailbox } from '../../core/mail/message.ts'
import type { Cursor, Io, RemoteId } from '../connector.ts'
import type { Mail, MailAsk, MailPage } from '../mail.ts'
import { backfill } from './backfill.ts'
import { isWaiting, readCursor, type State } from './cursor.ts'
import { readFolders, readRoles } from './folders.ts'
import { live } from './live.ts'
import { mailboxes } from './mailboxes.ts'
import { open } from './open.ts'
import { readIds } from './read.ts'
import { homeOf, mailboxesOf } from './settings.ts'
import { subscribe } from './subscribe.ts'

export const mail: Mail = { mailboxes, pull, fetch, subscribe }

export const homeFor = (io: Io, { id }: Mailbox): string => (mailboxesOf(io) === null ? '/me' : homeOf(id))

async function pull(io: Io, mailbox: Mailbox, from: Cursor | null, asked: MailAsk): Promise<MailPage> {
  const home = homeFor(io, mailbox)
  const kept = readCursor(from)
  const state = kept ?? (await open(io, home))
  if (kept === null && asked.want === 'live') return paged([], [], state, false)
  const step = await (asked.want === 'live' ? live : backfill)(io, home, state, asked)
  return paged(step.sightings, step.bad, step.state, step.more)
}

function paged(
  sightings: MailPage['sightings'],
  bad: MailPage['bad'],
  state: State,
  more: boolean,
): MailPage {
  const sizes = Object.values(state.folders.tree).map(({ size }) => size)
  const listed = sum(Object.values(state.walks).map((walk) => walk.listed))
  return {
    sightings,
    bad,
    cursor: state,
    more,
    backfill: isWaiting(state)
      ? { kind: 'waiting', listed, total: Math.max(sum(sizes), listed) }
      : { kind: 'done' },
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

async function fetch(io: Io, mailbox: Mailbox, ids: readonly RemoteId[]) {
  if (ids.length === 0) return { sightings: [], bad: [] }
  const home = homeFor(io, mailbox)
  // Also tells a mailbox that cannot be read at all, which would make every one of its messages look gone.
  const { tree } = await readFolders(io, home, {}, null)
  const folders = { tree, roles: await readRoles(io, home) }
  return readIds({ io, home, folders, low: false }, [...new Set(ids)])
}
