// Google in a process of its own: `vendor-child.ts <JSON: messages by mailbox>`. Says by IPC where it is served, takes
// orders, and tells of each notification as it leaves.
import { z } from 'zod'
import { createGmailSandbox } from '../../../src/sandbox/gmail/index.ts'
import { deliverByFetch } from '../../../src/sandbox/gmail/notifications.ts'
import { letter, person } from '../../../src/sandbox/mail/letter.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { serveSandbox } from '../../../src/sandbox/serve.ts'
import { LABELS, lettersOf } from './letters.ts'
import { holdings, type Opened, order, PUSHER, TOPIC, wallNow } from './wire.ts'

const held = holdings.parse(JSON.parse(process.argv[2] ?? ''))
const mailboxes = Object.keys(held)
const tell = (message: object) => void process.send?.(message)
const push = z.object({ message: z.object({ data: z.string() }) })
const notice = z.object({ emailAddress: z.string() })

const google = createGmailSandbox({
  now: Date.now,
  random: seeded(1),
  // The bench is about the hub: Google's own limit is 5 messages a second.
  unitsPerUser: 1e12,
  unitsPerProject: 1e12,
  mailboxes: mailboxes.map((address) => ({ address, name: 'Ann Lee' })),
  autoDeliver: true,
  deliver: (url, body, headers) => {
    const { data } = push.parse(JSON.parse(body)).message
    const { emailAddress } = notice.parse(JSON.parse(Buffer.from(data, 'base64url').toString()))
    tell({ mailbox: emailAddress, at: wallNow() })
    return deliverByFetch(url, body, headers)
  },
})
google.switches.accessTokenLifeMs = 86_400_000

const now = Date.now()
for (const [address, count] of Object.entries(held)) {
  for (const name of Object.values(LABELS)) google.people.createLabel(address, name)
  for (const { letter: mail, labels, at } of lettersOf(person(address, 'Ann Lee'), count, now))
    await google.people.deliver(address, mail, { labels, at })
}

const { url } = await serveSandbox(google.app)
let delivered = 0
process.on('disconnect', () => process.exit())
process.on('message', (message) => {
  const told = order.parse(message)
  switch (told.kind) {
    case 'notify':
      google.createTopic(TOPIC, { endpoint: told.endpoint, serviceAccount: PUSHER })
      return
    case 'deliver': {
      const { mailbox, subject, from } = told
      const mail = letter({
        from: person(from),
        to: [person(mailbox)],
        subject,
        text: 'We take it.',
        date: Date.now(),
        messageId: `live-${delivered++}@client.example`,
      })
      void google.people.deliver(mailbox, mail)
    }
  }
})
const account = google.serviceAccount()
tell({
  url,
  tokens: Object.fromEntries(mailboxes.map((address) => [address, google.signIn(address).accessToken])),
  serviceAccountKey: JSON.stringify(account),
} satisfies Opened)
