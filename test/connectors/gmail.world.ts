import type { Io } from '../../src/connectors/connector.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGmailSandbox, type GmailSandbox } from '../../src/sandbox/gmail/index.ts'
import { letter, person } from '../../src/sandbox/mail/letter.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { ioOver, type Sent, T0 } from './gmail.support.ts'

export const ANN = 'ann@acme.example'
export const BOB = 'bob@acme.example'

type Intercept = (request: Request, user: string | null) => Response | null

export type World = {
  readonly google: GmailSandbox
  readonly clock: { now: number }
  readonly sent: Sent[]
  /** Answers instead of Google where it gives something. */
  intercept: Intercept | null
  io(settings?: JsonObject, scopes?: readonly string[]): Io
  /** Mail from a customer; its id in Ann's mailbox. */
  deliver(subject: string, options?: { labels?: readonly string[]; at?: number }): Promise<string>
}

/** The connector and Google in one process, with a clock of their own. */
export function world(seed = 7, unitsPerUser = 1e9): World {
  const clock = { now: T0 }
  const google = createGmailSandbox({
    now: () => clock.now,
    random: seeded(seed),
    unitsPerUser,
    unitsPerProject: 1e12,
    mailboxes: [
      { address: ANN, name: 'Ann Lee', aliases: ['sales@acme.example'], isAdmin: true },
      { address: BOB, name: 'Bob Ray' },
    ],
  })
  // The runtime's part is not tried here.
  google.switches.accessTokenLifeMs = Number.MAX_SAFE_INTEGER
  const sent: Sent[] = []
  const toGoogle = sandboxFetch(google.app)
  let count = 0
  const made: World = {
    google,
    clock,
    sent,
    intercept: null,
    io(settings = {}, scopes) {
      const tokens = new Map<string, string>()
      const tokenOf = (user: string) => {
        const token = tokens.get(user) ?? google.signIn(user, scopes).accessToken
        tokens.set(user, token)
        return token
      }
      return ioOver(
        {
          settings,
          now: () => clock.now,
          answer: (request, user) => {
            const instead = made.intercept?.(request, user) ?? null
            if (instead !== null) return instead
            const headers = new Headers(request.headers)
            headers.set('authorization', `Bearer ${tokenOf(user ?? ANN)}`)
            return toGoogle(new Request(request, { headers }))
          },
        },
        sent,
      )
    },
    async deliver(subject, options = {}) {
      count += 1
      const mail = letter({
        from: person('jo@customer.example', 'Jo Wu'),
        to: [person(ANN)],
        subject,
        text: `About ${subject}`,
        date: options.at ?? clock.now,
        messageId: `${count}@customer.example`,
      })
      const [placed] = await google.people.deliver(ANN, mail, options)
      if (placed === undefined) throw new Error('not delivered')
      return placed.id
    },
  }
  return made
}
