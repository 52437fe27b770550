import type { Mailbox } from '../../core/mail/message.ts'
import type { Io } from '../connector.ts'
import type { MailSubscription } from '../mail.ts'
import { ask, gmailFor } from './client.ts'
import { badSetting, textSetting } from './settings.ts'
import { watchWire } from './wire.ts'

const DAY_MS = 86_400_000
const TOPIC = /^projects\/[^/\s]+\/topics\/[^/\s]+$/

/**
 * Asks Gmail to publish to the Pub/Sub topic of `settings.topic` when the mailbox changes; null where none is set. Asking
 * again renews it: it lasts for a week at most, and Google recommends once a day, which the hub does by asking a day before
 * `renewBefore`.
 * https://developers.google.com/workspace/gmail/api/guides/push#renewing_mailbox_watch
 *
 * Which URL Pub/Sub then calls is up to the subscription of the topic, which an admin makes.
 */
export async function subscribe(io: Io, mailbox: Mailbox): Promise<MailSubscription | null> {
  const topicName = textSetting(io.settings, 'topic')
  if (topicName === null) return null
  if (!TOPIC.test(topicName))
    throw badSetting('topic', `${topicName} is not a topic. Write projects/my-project/topics/gmail.`)
  const { users } = gmailFor(io.as(mailbox.address), 'auto')
  const call = users.watch({ userId: mailbox.address, requestBody: { topicName } })
  const { expiration } = await ask('watch', call, watchWire)
  return { kept: { topicName, expiration }, renewBefore: Math.min(io.now() + 2 * DAY_MS, expiration) }
}
