import type { gmail_v1 } from '@googleapis/gmail'
import { z } from 'zod'
import type { Instant } from '../../core/json.ts'
import type { Mailbox, MailMessage } from '../../core/mail/message.ts'
import { type BadRow, failureOf, type RemoteId } from '../connector.ts'
import type { Sighting } from '../mail.ts'
import { parseMail, UnreadableMail } from '../mime/parse.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, isMissing } from './client.ts'
import { flagsOf, type Labels } from './labels.ts'
import { messageWire } from './wire.ts'

/** What Gmail says of one message; other refusals are about all of them, and stop the page. */
const OWN_FAULT = new Set(['invalidArgument', 'badRequest'])
/** Reads of one mailbox at once; Gmail refuses too many, without saying how many that is. */
const WIDTH = 5

export type Found = { readonly sightings: readonly Sighting[]; readonly bad: readonly BadRow[] }

/**
 * The messages as they are now: 20 units each. One that is not there any more is `gone`, which is usual for a message
 * of the history (https://developers.google.com/workspace/gmail/api/guides/sync). One that cannot be read is `bad`, by
 * itself.
 */
export async function readAll(
  client: gmail_v1.Gmail,
  mailbox: Mailbox,
  labels: Labels,
  ids: readonly RemoteId[],
): Promise<Found> {
  const found = await inParallel(ids, WIDTH, (id) => readOne(client, mailbox, labels, id))
  return {
    sightings: found.flatMap((one) => ('kind' in one ? [one] : [])),
    bad: found.flatMap((one) => ('kind' in one ? [] : [one])),
  }
}

async function readOne(
  client: gmail_v1.Gmail,
  mailbox: Mailbox,
  labels: Labels,
  id: RemoteId,
): Promise<Sighting | BadRow> {
  let reply: unknown
  try {
    const call = client.users.messages.get({ userId: mailbox.address, id, format: 'raw' })
    reply = await ask('messages.get', call, z.record(z.string(), z.unknown()))
  } catch (error) {
    if (isMissing(error)) return { kind: 'gone', id }
    const failure = failureOf(error)
    if (failure?.kind === 'rejected' && OWN_FAULT.has(failure.code)) return bad(mailbox, id, failure.message)
    throw error
  }
  const read = messageWire.safeParse(reply)
  if (!read.success) return bad(mailbox, id, `Gmail's answer lacks ${read.error.issues[0]?.path.join('.')}`)
  const { raw, internalDate, labelIds } = read.data
  const message = await parsed(raw, Number(internalDate))
  if (typeof message === 'string') return bad(mailbox, id, message)
  const sighted = { message, flags: flagsOf(labelIds), labels: await labels.namesOf(labelIds) }
  return { kind: 'message', id, sighted }
}

/** The message, or why it cannot be read. A parser that fails at it stops this message only. */
async function parsed(raw: string, at: Instant): Promise<MailMessage | string> {
  try {
    return (await parseMail(Buffer.from(raw, 'base64url'), at)).message
  } catch (error) {
    if (error instanceof UnreadableMail) return error.message
    return `The message cannot be read (${error instanceof Error ? error.name : 'unknown error'})`
  }
}

/** Nothing of the message is kept: the rules that say whether it may be could not be asked. */
function bad(mailbox: Mailbox, id: RemoteId, problem: string): BadRow {
  return { where: `mailbox ${mailbox.address} message ${id}`, id, problem, raw: '' }
}
